import EngineKit
import SDP
import SIPMessages
import SIPRuntime
import SIPUserAgent
import TerminalUI

/// Finds the call that a traced message belongs to, for its ladder, and says the message in one line.
struct LadderIndex {
    private var references: [String: CallReference] = [:]
    /// Messages that came before what they belong to: the wire is faster than the event of a call.
    private var waiting: [(callID: String, summary: MessageSummary)] = []
    private static let waitingLimit = 32

    /// Remembers the Call-ID of a call, and gives the messages that waited for it.
    mutating func note(_ identity: CallIdentity) -> [(CallReference, MessageSummary)] {
        guard let callID = identity.callID, references[callID] == nil else { return [] }
        let reference = CallReference(identity.handle.rawValue)
        references[callID] = reference
        let found = waiting.filter { $0.callID == callID }
        waiting.removeAll { $0.callID == callID }
        return found.map { (reference, $0.summary) }
    }

    /// Forgets a call whose line is gone.
    mutating func forget(_ identity: CallIdentity) {
        if let callID = identity.callID { references[callID] = nil }
    }

    /// The message's line and its call; nil where no call of this phone is known by its Call-ID, or not yet.
    mutating func summary(of traced: TracedMessage) -> (CallReference, MessageSummary)? {
        guard let message = try? MessageParser.parse(traced.bytes) else { return nil }
        let summary = Self.summary(of: message, traced)
        if let reference = references[message.callID] { return (reference, summary) }
        if waiting.count == Self.waitingLimit { waiting.removeFirst() }
        waiting.append((message.callID, summary))
        return nil
    }

    private static func summary(of message: Message, _ traced: TracedMessage) -> MessageSummary {
        var text =
            switch message {
            case .request(let request): "\(request.method.name) \(request.uri)"
            case .response(let response): "\(response.status.value) \(response.reason)"
            }
        if let codecs = codecs(of: message) { text += "  \(codecs)" }
        return MessageSummary(
            summary: Printable(text), direction: traced.direction == .sent ? .sent : .received, time: traced.instant)
    }

    /// The encodings of the message's session description.
    private static func codecs(of message: Message) -> String? {
        guard !message.body.isEmpty, let description = try? SessionDescription(parsing: message.body) else {
            return nil
        }
        let audio = description.media.first { $0.kind == .audio }
        return audio.map { media in
            media.mediaFormats.filter { !$0.isTelephoneEvent && !$0.isRedundancy }.map { $0.encodingName.lowercased() }
                .joined(separator: ",")
        }
    }
}
