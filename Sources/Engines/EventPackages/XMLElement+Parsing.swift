import CExpat

extension XMLElement {
    /// How much of a document is read (ROBUSTNESS S12; no honest presence document comes near).
    package enum Limits {
        package static let octets = 32_768
        package static let depth = 32
        package static let elements = 2048
        package static let attributes = 32
    }

    /// Reads a whole document: the root element. Comments and processing instructions are passed over.
    ///
    /// expat reads it, in one pass and with a stack on the heap. It salts its hash tables from the system's randomness,
    /// on which no result depends.
    package init(parsing bytes: [UInt8]) throws(XMLFault) {
        guard bytes.count <= Limits.octets else { throw .tooLong }
        // The separator can stand in no namespace: it is no character of a URI.
        guard let parser = XML_ParserCreateNS(nil, XML_Char(bitPattern: XMLBuilder.separator)) else {
            throw .outOfMemory
        }
        defer { XML_ParserFree(parser) }
        let builder = XMLBuilder(parser)
        let status = withExtendedLifetime(builder) {
            XML_SetUserData(parser, Unmanaged.passUnretained(builder).toOpaque())
            XML_SetElementHandler(parser, startElement, endElement)
            XML_SetCharacterDataHandler(parser, characterData)
            XML_SetStartDoctypeDeclHandler(parser, startDoctype)
            return bytes.withUnsafeBytes { buffer in
                XML_Parse(parser, buffer.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(buffer.count), 1)
            }
        }
        if let fault = builder.fault { throw fault }
        guard status == XML_STATUS_OK, let root = builder.root else {
            throw .malformed(line: Int(clamping: XML_GetCurrentLineNumber(parser)))
        }
        self = root
    }
}

/// Puts elements together as the parser meets them.
private final class XMLBuilder {
    static let separator: UInt8 = 0x0a

    let parser: XML_Parser
    /// The elements that are open, the root first.
    private var open: [XMLElement] = []
    private var count = 0
    private(set) var root: XMLElement?
    private(set) var fault: XMLFault?

    init(_ parser: XML_Parser) {
        self.parser = parser
    }

    func stop(_ fault: XMLFault) {
        if self.fault == nil { self.fault = fault }
        XML_StopParser(parser, 0)
    }

    func start(_ name: String, _ attributes: [XMLElement.Attribute]) {
        count += 1
        guard open.count < XMLElement.Limits.depth else { return stop(.tooDeep) }
        guard count <= XMLElement.Limits.elements, attributes.count <= XMLElement.Limits.attributes else {
            return stop(.tooMany)
        }
        let (namespace, local) = Self.split(name)
        open.append(XMLElement(namespace, local, attributes: attributes))
    }

    func end() {
        guard let element = open.popLast() else { return }
        if open.isEmpty { root = element } else { append(.element(element)) }
    }

    func text(_ text: String) {
        guard let last = open.last else { return }
        // expat gives a text in pieces.
        if case .text(let before)? = last.children.last {
            open[open.count - 1].children[last.children.count - 1] = .text(before + text)
        } else {
            append(.text(text))
        }
    }

    private func append(_ node: XMLElement.Node) {
        guard !open.isEmpty else { return }
        open[open.count - 1].children.append(node)
    }

    static func split(_ name: String) -> (namespace: String, name: String) {
        guard let separator = name.utf8.firstIndex(of: separator) else { return ("", name) }
        return (String(name[..<separator]), String(name[name.utf8.index(after: separator)...]))
    }
}

private func builder(_ data: UnsafeMutableRawPointer?) -> XMLBuilder? {
    data.map { Unmanaged<XMLBuilder>.fromOpaque($0).takeUnretainedValue() }
}

private let startElement: XML_StartElementHandler = { data, name, list in
    guard let name else { return }
    var attributes: [XMLElement.Attribute] = []
    var index = 0
    while let list, let key = list[index], let value = list[index + 1] {
        let (namespace, local) = XMLBuilder.split(String(cString: key))
        attributes.append(XMLElement.Attribute(namespace: namespace, name: local, value: String(cString: value)))
        index += 2
    }
    builder(data)?.start(String(cString: name), attributes)
}

private let endElement: XML_EndElementHandler = { data, _ in builder(data)?.end() }

private let characterData: XML_CharacterDataHandler = { data, text, count in
    guard let text, count > 0 else { return }
    let bytes = UnsafeRawBufferPointer(start: text, count: Int(count))
    builder(data)?.text(String(decoding: bytes, as: UTF8.self))
}

private let startDoctype: XML_StartDoctypeDeclHandler = { data, _, _, _, _ in builder(data)?.stop(.doctype) }
