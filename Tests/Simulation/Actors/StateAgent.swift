import EngineKit
import SIPMessages
import SIPTransactions
import SIPUserAgent

/// What a domain knows of its users: it tells them of waiting messages (RFC 3842, RFC 6665 §4.2) and of their
/// registrations (RFC 3680), and keeps what they publish (RFC 3903).
struct StateAgent: Sendable {
    /// Somebody who asked to be told.
    private struct Subscriber: Sendable {
        var dialog: ScriptedDialog
        let event: EventPackage
        let user: String
        var flow: Flow
        var expiresAt: Instant
        /// The CSeq of the last SUBSCRIBE.
        var asked: UInt32
        /// The version of the next document, where those are numbered.
        var version = 0
    }

    /// A NOTIFY that is due, and by which way.
    struct Notice {
        let request: Request
        let flow: Flow
        let subscriber: String
    }

    private static let shortest: UInt32 = 60
    private static let longest: UInt32 = 300

    private let name: String
    private let contact: SIPURI
    /// By our tag.
    private var subscribers: [String: Subscriber] = [:]
    /// By user: the tag of what is published, and until when it is kept.
    private var published: [String: (tag: String, until: Instant)] = [:]
    /// By user: where it is registered.
    private var registered: [String: [SIPURI]] = [:]
    private var count = 0
    /// NOTIFYs to be sent, under another Via.
    private(set) var due: [Notice] = []

    init(name: String, address: SocketAddress) {
        self.name = name
        contact = SIPURI(user: "state", host: .address(address.address), port: address.port)
    }

    var deadline: Instant? { subscribers.values.map(\.expiresAt).min() }

    mutating func takeDue() -> [Notice] {
        defer { due = [] }
        return due
    }

    /// It starts anew: who subscribed is not known any more, nor what was published.
    mutating func forget() {
        subscribers = [:]
        published = [:]
        registered = [:]
    }

    static func tells(of package: String) -> Bool { package == "message-summary" || package == "reg" }

    func knows(_ tag: String?) -> Bool { tag.map { subscribers[$0] != nil } ?? false }

    // MARK: - Subscriptions

    mutating func subscribe(_ request: Request, over flow: Flow, at now: Instant) -> Response {
        guard let event = try? request.headers.first(EventPackage.self), Self.tells(of: event.package) else {
            return request.response(489)
        }
        let asked = (try? request.headers.first(Expires.self))?.seconds ?? Self.longest
        if asked > 0, asked < Self.shortest {
            var response = request.response(423)
            response.headers.append(MinExpires(Self.shortest))
            return response
        }
        let granted = min(asked, Self.longest)
        let tag: String
        if let known = request.to.tag {
            guard let last = subscribers[known]?.asked else { return request.response(481) }
            guard request.cSeq.number > last else { return request.response(500) }
            tag = known
        } else {
            count += 1
            tag = "\(name)-state-\(count)"
            subscribers[tag] = Subscriber(
                dialog: ScriptedDialog(answering: request, tag: tag), event: event,
                user: request.uri.sipURI?.user ?? "", flow: flow, expiresAt: now, asked: 0)
        }
        subscribers[tag]?.asked = request.cSeq.number
        subscribers[tag]?.flow = flow
        subscribers[tag]?.expiresAt = now + .seconds(Int64(granted))
        var response = request.response(200, toTag: tag)
        response.headers.append(Expires(granted))
        response.headers.append(Contact(contact))
        for entry in (try? request.headers.all(RecordRoute.self)) ?? [] { response.headers.append(entry) }
        notify(tag, ending: granted == 0 ? "timeout" : nil, at: now)
        return response
    }

    private mutating func notify(_ tag: String, ending: String?, at now: Instant) {
        guard var subscriber = subscribers[tag] else { return }
        count += 1
        var request = subscriber.dialog.request(
            .notify, via: Via(transport: .udp, host: contact.host, port: contact.port, branch: Via.magicCookie))
        request.maxForwards = 70
        request.headers.append(subscriber.event)
        request.headers.append(Contact(contact))
        let left = max(1, (subscriber.expiresAt - now).saturatedNanoseconds / 1_000_000_000)
        request.headers.append(
            ending.map { SubscriptionState("terminated", parameters: Parameters(.field, [("reason", $0)])) }
                ?? SubscriptionState("active", parameters: Parameters(.field, [("expires", "\(left)")])))
        if subscriber.event.package == "reg" {
            request.headers.append(ContentType("application", "reginfo+xml"))
            request.body = registrations(of: subscriber)
            subscriber.version += 1
        } else {
            request.headers.append(ContentType("application", "simple-message-summary"))
            request.body = Array("Messages-Waiting: yes\r\nVoice-Message: \(count)/0\r\n".utf8)
        }
        due.append(Notice(request: request, flow: subscriber.flow, subscriber: tag))
        subscribers[tag] = ending == nil ? subscriber : nil
    }

    /// RFC 3680 §5, always in full.
    private func registrations(of subscriber: Subscriber) -> [UInt8] {
        let contacts = registered[subscriber.user] ?? []
        let state = contacts.isEmpty ? "terminated" : "active"
        var text = """
            <?xml version="1.0"?>
            <reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="\(subscriber.version)" state="full">
            <registration aor="sip:\(subscriber.user)@\(name)" id="r" state="\(state)">

            """
        for (index, contact) in contacts.enumerated() {
            let uri = "\(contact)".replacing("&", with: "&amp;")
            text += #"<contact id="c\#(index)" state="active" event="registered"><uri>\#(uri)</uri></contact>"#
        }
        return Array((text + "</registration></reginfo>").utf8)
    }

    /// Tells those who want to know where a user is registered.
    mutating func learn(_ contacts: [SIPURI], of user: String, at now: Instant) {
        guard registered[user] ?? [] != contacts else { return }
        registered[user] = contacts
        for (tag, subscriber) in subscribers.sorted(by: { $0.key < $1.key })
        where subscriber.user == user && subscriber.event.package == "reg" {
            notify(tag, ending: nil, at: now)
        }
    }

    /// Whoever takes no NOTIFY is told no more (RFC 6665 §4.2.2).
    mutating func notified(_ tag: String, isTaken: Bool) {
        if !isTaken { subscribers[tag] = nil }
    }

    mutating func handleDeadline(at now: Instant) {
        for tag in subscribers.keys.sorted() where subscribers[tag].map({ $0.expiresAt <= now }) ?? false {
            notify(tag, ending: "timeout", at: now)
        }
    }

    /// Ends all subscriptions; who wants to know asks anew.
    mutating func deactivate(at now: Instant) {
        for tag in subscribers.keys.sorted() { notify(tag, ending: "deactivated", at: now) }
    }

    // MARK: - Publications

    /// Steps 4 to 8 of RFC 3903 §6.
    mutating func publish(_ request: Request, of user: String, at now: Instant) -> Response {
        guard (try? request.headers.first(EventPackage.self))?.package == "presence" else {
            return request.response(489)
        }
        let condition = request.headers.first(.sipIfMatch)
        let known = published[user].flatMap { $0.until > now ? $0.tag : nil }
        guard condition == nil || condition == known else { return request.response(412) }
        let asked = (try? request.headers.first(Expires.self))?.seconds ?? 3600
        if asked > 0, asked < Self.shortest {
            var response = request.response(423)
            response.headers.append(MinExpires(Self.shortest))
            return response
        }
        guard condition != nil || !request.body.isEmpty else { return request.response(400) }
        count += 1
        let tag = "\(name)-entity-\(count)"
        let granted = min(asked, Self.longest)
        published[user] = asked == 0 ? nil : (tag, now + .seconds(Int64(granted)))
        var response = request.response(200)
        response.headers.append(Expires(granted))
        try? response.headers.append(.sipETag, tag)
        return response
    }
}
