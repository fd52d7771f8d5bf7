/// Who is registered for an address (RFC 3680): `application/reginfo+xml`.
package struct RegistrationInformation: Equatable, Sendable {
    package struct Contact: Equatable, Sendable {
        package var id: String
        package var uri: String
        package var isActive: Bool
        /// `registered`, `refreshed`, `expired`, `deactivated`, `rejected` ...
        package var event: String
    }

    package struct Registration: Equatable, Sendable {
        package var addressOfRecord: String
        package var isActive: Bool
        package var contacts: [Contact]
    }

    package var version: UInt32
    package var isFull: Bool
    package var registrations: [Registration]

    package init(parsing bytes: [UInt8]) throws(EventBodyFault) {
        let root = try XMLElement(eventBody: bytes, root: "reginfo")
        guard let text = root["version"] else { throw .missing("version") }
        guard let version = UInt32(text) else { throw .value("version") }
        self.version = version
        isFull = root["state"]?.lowercased() != "partial"
        registrations = []
        for element in root.elements("registration") {
            guard let address = element["aor"] else { throw .missing("aor") }
            registrations.append(
                Registration(
                    addressOfRecord: address, isActive: element["state"] == "active",
                    contacts: element.elements("contact").map { contact in
                        Contact(
                            id: contact["id"] ?? "", uri: contact.first("uri")?.text ?? "",
                            isActive: contact["state"] == "active", event: contact["event"] ?? "")
                    }))
        }
    }
}
