/// An element of an XML document, with its namespace resolved.
package struct XMLElement: Equatable, Sendable {
    /// Empty where the element has none.
    package var namespace: String
    package var name: String
    package var attributes: [Attribute]
    package var children: [Node]

    package struct Attribute: Equatable, Sendable {
        package var namespace: String
        package var name: String
        package var value: String
    }

    package enum Node: Equatable, Sendable {
        case element(XMLElement)
        case text(String)
    }

    package init(_ namespace: String, _ name: String, attributes: [Attribute] = [], children: [Node] = []) {
        self.namespace = namespace
        self.name = name
        self.attributes = attributes
        self.children = children
    }

    /// The value of the attribute of that name that has no namespace.
    package subscript(_ name: String) -> String? {
        attributes.first { $0.name == name && $0.namespace.isEmpty }?.value
    }

    /// The elements right within, in order.
    package var elements: [XMLElement] {
        children.compactMap { if case .element(let element) = $0 { element } else { nil } }
    }

    /// The elements of that name right within, whatever their namespace: peers take liberties there.
    package func elements(_ name: String) -> [XMLElement] { elements.filter { $0.name == name } }

    package func first(_ name: String) -> XMLElement? { elements(name).first }

    /// The text right within, without the white space around it.
    package var text: String {
        let text = children.reduce(into: "") { if case .text(let piece) = $1 { $0 += piece } }
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0a || $0 == 0x0d }
        var bytes = Array(text.utf8)[...]
        while bytes.first.map(isBlank) == true { bytes.removeFirst() }
        while bytes.last.map(isBlank) == true { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Why a body is no XML document that we read.
package enum XMLFault: Error, Hashable, Sendable {
    case tooLong, tooDeep, tooMany
    /// A document type declaration: with it come entities, and with them documents that grow when they are read.
    case doctype
    /// Not well formed, or in an encoding that we do not read; the line, from 1.
    case malformed(line: Int)
    case outOfMemory
}

extension XMLFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .tooLong: "longer than a document may be"
        case .tooDeep: "elements nested too deep"
        case .tooMany: "too many elements or attributes"
        case .doctype: "a document type declaration, which is not allowed"
        case .malformed(let line): "not well formed, line \(line)"
        case .outOfMemory: "no memory left to read it"
        }
    }
}
