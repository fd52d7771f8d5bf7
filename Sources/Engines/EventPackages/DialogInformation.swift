/// The dialogs of somebody (RFC 4235): what lights a busy lamp.
package struct DialogInformation: Equatable, Sendable {
    package struct Dialog: Equatable, Sendable {
        package var id: String
        package var state: State
        package var isInitiator: Bool?
        package var callID: String?
        package var localTag: String?
        package var remoteTag: String?
        /// The URI of the other side.
        package var remoteIdentity: String?
        package var remoteName: String?

        package init(
            id: String, state: State, isInitiator: Bool? = nil, callID: String? = nil, localTag: String? = nil,
            remoteTag: String? = nil, remoteIdentity: String? = nil, remoteName: String? = nil
        ) {
            self.id = id
            self.state = state
            self.isInitiator = isInitiator
            self.callID = callID
            self.localTag = localTag
            self.remoteTag = remoteTag
            self.remoteIdentity = remoteIdentity
            self.remoteName = remoteName
        }
    }

    /// The states of RFC 4235 §3.7.1.
    package enum State: String, Sendable {
        case trying, proceeding, early, confirmed, terminated
    }

    package var version: UInt32
    /// Whether the document has all dialogs, or only those that changed (§4.1).
    package var isFull: Bool
    package var entity: String
    package var dialogs: [Dialog]

    package init(version: UInt32, isFull: Bool, entity: String, dialogs: [Dialog]) {
        self.version = version
        self.isFull = isFull
        self.entity = entity
        self.dialogs = dialogs
    }

    static let namespace = "urn:ietf:params:xml:ns:dialog-info"

    package init(parsing bytes: [UInt8]) throws(EventBodyFault) {
        let root = try XMLElement(eventBody: bytes, root: "dialog-info")
        guard let text = root["version"] else { throw .missing("version") }
        guard let version = UInt32(text) else { throw .value("version") }
        guard let entity = root["entity"] else { throw .missing("entity") }
        var dialogs: [Dialog] = []
        for element in root.elements("dialog") { dialogs.append(try Dialog(element)) }
        self.init(version: version, isFull: root["state"]?.lowercased() != "partial", entity: entity, dialogs: dialogs)
    }

    package var bytes: [UInt8] {
        var writer = XMLWriter()
        writer.element(
            "dialog-info",
            [
                ("xmlns", Self.namespace), ("version", String(version)), ("state", isFull ? "full" : "partial"),
                ("entity", entity),
            ]
        ) { writer in
            for dialog in dialogs {
                writer.element(
                    "dialog",
                    [
                        ("id", dialog.id), ("call-id", dialog.callID), ("local-tag", dialog.localTag),
                        ("remote-tag", dialog.remoteTag),
                        ("direction", dialog.isInitiator.map { $0 ? "initiator" : "recipient" }),
                    ]
                ) { writer in
                    writer.element("state", text: dialog.state.rawValue)
                    guard let remote = dialog.remoteIdentity else { return }
                    writer.element("remote") { writer in
                        writer.element("identity", [("display", dialog.remoteName)], text: remote)
                    }
                }
            }
        }
        return writer.bytes
    }
}

extension DialogInformation.Dialog {
    fileprivate init(_ element: XMLElement) throws(EventBodyFault) {
        guard let id = element["id"] else { throw .missing("id") }
        guard let word = element.first("state")?.text else { throw .missing("state") }
        guard let state = DialogInformation.State(rawValue: word.lowercased()) else { throw .value("state") }
        let identity = element.first("remote")?.first("identity")
        self.init(
            id: id, state: state, isInitiator: element["direction"].map { $0 == "initiator" },
            callID: element["call-id"], localTag: element["local-tag"], remoteTag: element["remote-tag"],
            remoteIdentity: identity?.text, remoteName: identity?["display"])
    }
}

/// The dialogs of one subscription, put together from full and partial documents (RFC 4235 §4.3).
package struct DialogTable: Equatable, Sendable {
    private var version: UInt32?
    package private(set) var dialogs: [DialogInformation.Dialog] = []
    /// Whether documents were missed, so that `dialogs` waits for a full one.
    package private(set) var isIncomplete = false

    /// Dialogs beyond this are not kept: nobody's phone has more.
    static let limit = 64

    package init() {}

    package enum Outcome: Equatable, Sendable {
        case changed
        /// An older document than the last: nothing is new.
        case stale
        /// Documents were missed: only a full one helps, which a refresh brings (§4.3).
        case incomplete
    }

    package mutating func take(_ document: DialogInformation) -> Outcome {
        if let version, document.version <= version { return .stale }
        if document.isFull {
            dialogs = Array(document.dialogs.filter { $0.state != .terminated }.prefix(Self.limit))
            version = document.version
            isIncomplete = false
            return .changed
        }
        guard let version, document.version == version &+ 1 else {
            isIncomplete = true
            return .incomplete
        }
        self.version = document.version
        for dialog in document.dialogs {
            dialogs.removeAll { $0.id == dialog.id }
            if dialog.state != .terminated, dialogs.count < Self.limit { dialogs.append(dialog) }
        }
        return .changed
    }

    /// What a lamp shows: the furthest that any dialog is, terminated where there is none.
    package var state: DialogInformation.State {
        let order: [DialogInformation.State] = [.confirmed, .early, .proceeding, .trying]
        return order.first { state in dialogs.contains { $0.state == state } } ?? .terminated
    }
}
