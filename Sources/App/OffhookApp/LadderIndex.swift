import EngineKit
import SDP
import SIPMessages
import SIPRuntime
import SIPUserAgent
import TerminalUI

/// Finds the call that a traced message belongs to, for its ladder, and says the message in one line.
struct LadderIndex {
    private var references: [String: CallReference] = [:]

    /// Remembers the Call-ID of a call, as soon as it is known.
    mutating func note(_ identity: CallIdentity) {
        guard let callID = identity.callID else { return }
        references[callID] = CallReference(identity.handle.rawValue)
    }

    func summary(of traced: TracedMessage) -> (CallReference, MessageSummary)? {
        guard let message = try? MessageParser.parse(traced.bytes), let reference = references[message.callID] else {
            return nil
        }
        var text =
            switch message {
            case .request(let request): "\(request.method.name) \(request.uri)"
            case .response(let response): "\(response.status.value) \(response.reason)"
            }
        if let codecs = Self.codecs(of: message) { text += "  \(codecs)" }
        return (
            reference,
            MessageSummary(
                summary: Printable(text), direction: traced.direction == .sent ? .sent : .received,
                time: traced.instant)
        )
    }

    /// The encodings of the message's session description.
    private static func codecs(of message: Message) -> String? {
        guard !message.body.isEmpty, let description = try? SessionDescription(parsing: message.body) else {
            return nil
        }
        let audio = description.media.first { $0.kind == .audio }
        return audio.map { media in
            media.mediaFormats.filter { !$0.isTelephoneEvent }.map { $0.encodingName.lowercased() }
                .joined(separator: ",")
        }
    }
}
