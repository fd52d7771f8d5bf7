import EventPackages
import SIPMessages
import SIPUserAgent

/// What notifiers tell, as events and as lines for people.
extension EventNotification {
    /// The event's name, and its members after `account`.
    var reported: (name: String, members: [JSON.Member]) {
        let peer = JSON.Member("peer", .string(target.shownText))
        switch content {
        case .presence(let presence):
            return (
                "presence",
                [
                    peer, .init("open", .bool(presence.isOpen)),
                    .init("activities", .array(presence.activities.map { .string($0) })),
                    .init("note", presence.note.map { .string($0) } ?? .null),
                ]
            )
        case .dialogs(let table):
            return (
                "dialog",
                [
                    peer, .init("state", .string(table.state.rawValue)),
                    .init("dialogs", .array(table.dialogs.map(\.json))),
                ]
            )
        case .messageSummary(let summary):
            return (
                "mwi",
                [
                    peer, .init("waiting", .bool(summary.isWaiting)),
                    .init("new", summary.voice.map { .integer($0.new) } ?? .null),
                    .init("old", summary.voice.map { .integer($0.old) } ?? .null),
                ]
            )
        case .registration(let information):
            let contacts = information.registrations.flatMap(\.contacts).filter(\.isActive).map(\.uri)
            return ("registration", [peer, .init("contacts", .array(contacts.map { .string($0) }))])
        case .none, .other, .unreadable:
            return ("notify", [peer, .init("package", .string(event.package)), .init("text", .string(text))])
        }
    }

    /// What it says, in a few words.
    var text: String {
        switch content {
        case .none: "nothing new"
        case .presence(let presence):
            ([presence.isOpen ? "available" : "not available"] + presence.activities
                + (presence.note.map { [$0] } ?? []))
                .joined(separator: ", ")
        case .dialogs(let table): table.dialogs.isEmpty ? "no call" : "call, \(table.state.rawValue)"
        case .messageSummary(let summary):
            summary.isWaiting
                ? "messages waiting" + (summary.voice.map { ": \($0.new) new" } ?? "") : "no messages waiting"
        case .registration(let information):
            "\(information.registrations.flatMap(\.contacts).count { $0.isActive }) contacts registered"
        case .other(let type, let body): "\(body.count) octets of \(type.type)/\(type.subtype)"
        case .unreadable(let why): "a body that can't be read: \(why)"
        }
    }
}

extension DialogInformation.Dialog {
    fileprivate var json: JSON {
        .object([
            .init("id", .string(id)), .init("state", .string(state.rawValue)),
            .init("direction", isInitiator.map { .string($0 ? "initiator" : "recipient") } ?? .null),
            .init("remote", remoteIdentity.map { .string($0) } ?? .null),
            .init("call_id", callID.map { .string($0) } ?? .null),
            .init("local_tag", localTag.map { .string($0) } ?? .null),
            .init("remote_tag", remoteTag.map { .string($0) } ?? .null),
        ])
    }
}

extension PublicationStatus {
    var members: [JSON.Member] {
        switch self {
        case .published(let expires): [.init("state", .string("published")), .init("expires", .integer(expires))]
        case .removed: [.init("state", .string("removed"))]
        case .failed(let status, let reason, let pause):
            [.init("state", .string("failed"))] + (status.map { [.init("code", .integer($0.value))] } ?? []) + [
                .init("reason", .string(reason)),
                .init("retry_after", pause.map { .decimal($0.inSeconds, places: 0) } ?? .null),
            ]
        }
    }

    var text: String {
        switch self {
        case .published(let expires): "presence published for \(expires) s"
        case .removed: "presence removed"
        case .failed(let status, let reason, let pause):
            "presence not published: \(status.map { "\($0.value) " } ?? "")\(reason)"
                + (pause.map { "; again in \(JSON.fixed($0.inSeconds, places: 0) ?? "?") s" } ?? "")
        }
    }
}

extension SubscriptionStatus {
    var members: [JSON.Member] {
        switch self {
        case .pending: [.init("state", .string("pending"))]
        case .active(let expires): [.init("state", .string("active")), .init("expires", .integer(expires))]
        case .waiting(let status, let reason, let pause):
            [.init("state", .string("waiting"))] + Self.members(status, reason) + [
                .init("retry_after", .decimal(pause.inSeconds, places: 0))
            ]
        case .ended(let status, let reason): [.init("state", .string("ended"))] + Self.members(status, reason)
        }
    }

    private static func members(_ status: StatusCode?, _ reason: String) -> [JSON.Member] {
        (status.map { [.init("code", .integer($0.value))] } ?? []) + [.init("reason", .string(reason))]
    }

    var text: String {
        switch self {
        case .pending: "waits to be allowed"
        case .active(let expires): "subscribed for \(expires) s"
        case .waiting(let status, let reason, let pause):
            "\(status.map { "\($0.value) " } ?? "")\(reason); again in \(JSON.fixed(pause.inSeconds, places: 0) ?? "?") s"
        case .ended(let status, let reason): "ended: \(status.map { "\($0.value) " } ?? "")\(reason)"
        }
    }
}
