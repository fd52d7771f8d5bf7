import EngineKit
import EventPackages
import SIPMessages
import SIPTransactions

/// Somebody who writes to us, or has stopped to.
package struct PeerComposing: Equatable, Sendable {
    package var account: AccountID
    /// The call in whose dialog the messages go; nil: they stand alone.
    package var call: CallHandle?
    package var from: NameAddress
    package var isActive: Bool
}

/// That somebody is writing a message, told and taken (RFC 3994).
extension UserAgentCore {
    /// Whom the user writes to, and for which account.
    struct Conversation: Hashable, Sendable {
        var account: AccountID?
        var recipient: OutgoingRequest.Recipient
    }

    /// Who writes to us.
    struct Correspondent: Hashable, Sendable {
        var account: AccountID
        var call: CallHandle?
        var address: String
    }

    /// Conversations of either direction that are kept in mind; nobody writes to more at once.
    static let conversationLimit = 32
    /// The user's own requests are numbered below.
    private static let firstOwnRequest: UInt32 = 1 << 31

    // MARK: - The user writes

    mutating func compose(
        to recipient: OutgoingRequest.Recipient, of account: AccountID?, isTyping: Bool, at now: Instant
    ) {
        let key = Conversation(account: account, recipient: recipient)
        guard composing[key] != nil || isTyping && composing.count < Self.conversationLimit else { return }
        var sender = composing[key] ?? ComposingSender()
        let state = isTyping ? sender.typed(at: now) : sender.stopped()
        keep(sender, of: key)
        say(state, in: key, at: now)
    }

    /// A message of the user's says that it is written.
    mutating func composed(_ query: OutgoingRequest) {
        let key = Conversation(account: query.account, recipient: query.recipient)
        guard query.method == .message, var sender = composing[key] else { return }
        sender.sent()
        keep(sender, of: key)
    }

    mutating func composingDue(_ key: Conversation, at now: Instant) {
        guard var sender = composing[key] else { return }
        let state = sender.handleDeadline(at: now)
        keep(sender, of: key)
        say(state, in: key, at: now)
    }

    /// A status of ours was answered; nil: nothing came back.
    mutating func composingAnswered(_ status: StatusCode?, in key: Conversation, at now: Instant) {
        guard status?.isSuccess != true, var sender = composing[key] else { return }
        sender.refused(at: now)
        keep(sender, of: key)
    }

    private mutating func keep(_ sender: ComposingSender, of key: Conversation) {
        composing[key] = sender.isFinished ? nil : sender
        deadlines.set(.composing(key), at: sender.deadline)
    }

    private mutating func say(_ state: ComposingState?, in key: Conversation, at now: Instant) {
        guard let state else { return }
        lastOwnRequest = max(lastOwnRequest &+ 1, Self.firstOwnRequest)
        ask(
            OutgoingRequest(
                .message, account: key.account, to: key.recipient, contentType: .composing, body: state.bytes),
            as: RequestHandle(rawValue: lastOwnRequest), about: key, at: now)
    }

    // MARK: - Somebody writes to us

    /// Takes a status that came as a message; the response that it is owed.
    mutating func receive(_ status: IncomingMessage, answering request: Request, at now: Instant) -> Response {
        guard let state = try? ComposingState(parsing: status.body) else {
            return request.response(400, reason: "Status Unreadable")
        }
        let key = Correspondent(status)
        guard correspondents[key] != nil || state.isActive && correspondents.count < Self.conversationLimit else {
            return request.response(200)
        }
        var receiver = correspondents[key]?.receiver ?? ComposingReceiver()
        let isNews = receiver.receive(state, at: now)
        keep(receiver, of: key, from: status.from)
        if isNews { tell(key, from: status.from, isActive: state.isActive) }
        return request.response(200)
    }

    /// The message came that was being written.
    mutating func stopsComposing(_ message: IncomingMessage) {
        let key = Correspondent(message)
        guard correspondents[key] != nil else { return }
        keep(ComposingReceiver(), of: key, from: message.from)
        tell(key, from: message.from, isActive: false)
    }

    mutating func correspondentDue(_ key: Correspondent) {
        guard let from = correspondents[key]?.from else { return }
        keep(ComposingReceiver(), of: key, from: from)
        tell(key, from: from, isActive: false)
    }

    private mutating func keep(_ receiver: ComposingReceiver, of key: Correspondent, from: NameAddress) {
        correspondents[key] = receiver.deadline == nil ? nil : (receiver, from)
        deadlines.set(.correspondent(key), at: receiver.deadline)
    }

    private mutating func tell(_ key: Correspondent, from: NameAddress, isActive: Bool) {
        emit(.peerComposing(PeerComposing(account: key.account, call: key.call, from: from, isActive: isActive)))
    }
}

extension UserAgentCore.Correspondent {
    fileprivate init(_ message: IncomingMessage) {
        self.init(account: message.account, call: message.call, address: message.from.uri.asParty.description)
    }
}

extension ContentType {
    /// `application/im-iscomposing+xml` (RFC 3994 §6.2).
    static let composing = ContentType("application", "im-iscomposing+xml")

    var isComposing: Bool { isType("application", "im-iscomposing+xml") }
}
