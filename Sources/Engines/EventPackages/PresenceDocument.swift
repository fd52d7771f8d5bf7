/// The presence of somebody (PIDF, RFC 3863), with what they are doing (RPID, RFC 4480).
package struct PresenceDocument: Equatable, Sendable {
    /// One way to reach them, or one device.
    package struct Tuple: Equatable, Sendable {
        package var id: String
        /// Whether messages and calls are taken there; nil where it is not said.
        package var isOpen: Bool?
        package var contact: String?
        package var notes: [String]

        package init(id: String, isOpen: Bool?, contact: String? = nil, notes: [String] = []) {
            self.id = id
            self.isOpen = isOpen
            self.contact = contact
            self.notes = notes
        }
    }

    /// The URI of whose presence it is.
    package var entity: String
    package var tuples: [Tuple]
    package var notes: [String]
    /// Names of RPID activities: `on-the-phone`, `away`, `busy`, `meal` ...
    package var activities: [String]

    package init(entity: String, tuples: [Tuple], notes: [String] = [], activities: [String] = []) {
        self.entity = entity
        self.tuples = tuples
        self.notes = notes
        self.activities = activities
    }

    /// Whether they can be reached somewhere (RFC 3856 §3: one open tuple is enough).
    package var isOpen: Bool { tuples.contains { $0.isOpen == true } }

    /// The first note of all, which is what people read.
    package var note: String? { (notes + tuples.flatMap(\.notes)).first { !$0.isEmpty } }

    static let namespace = "urn:ietf:params:xml:ns:pidf"
    static let rpid = "urn:ietf:params:xml:ns:pidf:rpid"
    static let dataModel = "urn:ietf:params:xml:ns:pidf:data-model"

    package init(parsing bytes: [UInt8]) throws(EventBodyFault) {
        let root = try XMLElement(eventBody: bytes, root: "presence")
        guard let entity = root["entity"] else { throw .missing("entity") }
        self.init(
            entity: entity, tuples: root.elements("tuple").map(Tuple.init), notes: root.elements("note").map(\.text))
        // Where the data model of RFC 4479 is followed, activities stand in the person; before that, in the tuples.
        activities = (root.elements("person") + root.elements("tuple")).flatMap { $0.elements("activities") }
            .flatMap(\.elements).map(\.name).filter { $0 != "note" && $0 != "unknown" }
        notes += root.elements("person").flatMap {
            $0.elements("note") + $0.elements("activities").flatMap { $0.elements("note") }
        }
        .map(\.text)
    }

    package var bytes: [UInt8] {
        var writer = XMLWriter()
        let person = activities.compactMap { Self.activity($0) }
        writer.element(
            "presence",
            [("xmlns", Self.namespace), ("xmlns:dm", Self.dataModel), ("xmlns:rpid", Self.rpid), ("entity", entity)]
        ) { writer in
            for tuple in tuples {
                writer.element("tuple", [("id", tuple.id)]) { writer in
                    writer.element("status") { writer in
                        writer.element("basic", text: tuple.isOpen.map { $0 ? "open" : "closed" })
                    }
                    writer.element("contact", text: tuple.contact)
                    for note in tuple.notes { writer.element("note", text: note) }
                }
            }
            for note in notes { writer.element("note", text: note) }
            if !person.isEmpty {
                writer.element("dm:person", [("id", "p1")]) { writer in
                    writer.element("rpid:activities") { writer in
                        for activity in person { writer.element(activity) }
                    }
                }
            }
        }
        return writer.bytes
    }

    /// The activities that we say of ourselves.
    private static func activity(_ name: String) -> StaticString? {
        switch name {
        case "on-the-phone": "rpid:on-the-phone"
        case "away": "rpid:away"
        case "busy": "rpid:busy"
        default: nil
        }
    }
}

extension PresenceDocument.Tuple {
    fileprivate init(_ element: XMLElement) {
        let basic = element.first("status")?.first("basic")?.text.lowercased()
        self.init(
            id: element["id"] ?? "", isOpen: basic == "open" ? true : basic == "closed" ? false : nil,
            contact: element.first("contact").map(\.text).flatMap { $0.isEmpty ? nil : $0 },
            notes: element.elements("note").map(\.text))
    }
}

/// Why a body does not say what its event package promises.
package enum EventBodyFault: Error, Hashable, Sendable {
    case xml(XMLFault)
    /// The root element is another.
    case root(String)
    /// An attribute or line that the document can't do without.
    case missing(String)
    /// No number, or no word that the package knows.
    case value(String)
}

extension EventBodyFault: CustomStringConvertible {
    package var description: String {
        switch self {
        case .xml(let fault): fault.description
        case .root(let name): "its root element is '\(name)'"
        case .missing(let name): "'\(name)' is missing"
        case .value(let text): "'\(text)' is no value of that place"
        }
    }
}

extension XMLElement {
    init(eventBody bytes: [UInt8], root name: String) throws(EventBodyFault) {
        do throws(XMLFault) {
            try self.init(parsing: bytes)
        } catch {
            throw .xml(error)
        }
        guard self.name == name else { throw .root(self.name) }
    }
}
