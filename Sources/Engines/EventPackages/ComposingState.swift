/// Whether somebody is writing a message (RFC 3994): `application/im-iscomposing+xml`.
package struct ComposingState: Equatable, Sendable {
    package var isActive: Bool
    /// Seconds until it is said again while it lasts.
    package var refresh: UInt32?
    /// The type of what is being written.
    package var contentType: String?

    package init(isActive: Bool, refresh: UInt32? = nil, contentType: String? = nil) {
        self.isActive = isActive
        self.refresh = refresh
        self.contentType = contentType
    }

    /// A state that is not known counts as idle (RFC 3994 §3.3).
    package init(parsing bytes: [UInt8]) throws(EventBodyFault) {
        let root = try XMLElement(eventBody: bytes, root: "isComposing")
        guard let state = root.first("state") else { throw .missing("state") }
        self.init(
            isActive: state.text.lowercased() == "active", refresh: root.first("refresh").flatMap { UInt32($0.text) },
            contentType: root.first("contenttype")?.text)
    }

    package var bytes: [UInt8] {
        var writer = XMLWriter()
        writer.element("isComposing", [("xmlns", "urn:ietf:params:xml:ns:im-iscomposing")]) { writer in
            writer.element("state", text: isActive ? "active" : "idle")
            writer.element("contenttype", text: contentType)
            writer.element("refresh", text: refresh.map(String.init))
        }
        return writer.bytes
    }
}
