import EventPackages
import SDP
import SIPMessages
import SIPUserAgent

/// What the body of a message shows that could be read: faults where its sender is refused for them, else remarks, as
/// the recipient passes over what is wrong.
enum BodyInspection {
    static func entries(of message: Message) -> [MessageExplanation.Entry] {
        // What is coded we can't look into; `Validation` says so.
        guard !message.headers.contains(.contentEncoding) else { return [] }
        let parts = (try? message.headers.parts(of: message.body)) ?? []
        return parts.flatMap { part in
            if part.contentType.isType("application", "sdp") { return descriptionEntries(of: part, in: message) }
            return eventEntries(of: part) + digitEntries(of: part, in: message)
        }
    }

    private static func descriptionEntries(
        of part: MultipartBody.Part, in message: Message
    ) -> [MessageExplanation.Entry] {
        DescriptionSurvey.faults(in: part.body).map { fault in
            MessageExplanation.Entry(
                kind: fault.isRefused && !part.isOptional ? .fault : .remark, subject: "body",
                text: (fault.line > 0 ? "line \(fault.line) of the session description: " : "session description: ")
                    + fault.text,
                clause: fault.clause, status: fault.isRefused && !part.isOptional ? message.refusalOfBody : nil)
        }
    }

    private static func digitEntries(
        of part: MultipartBody.Part, in message: Message
    ) -> [MessageExplanation.Entry] {
        guard case .request(let request) = message, request.method == .info, part.contentType.isDigit,
            SignalledDigit(parsing: part.body, type: part.contentType) == nil
        else { return [] }
        return [
            MessageExplanation.Entry(
                kind: .fault, subject: "body", text: "it names no digit", clause: "RFC 3261 §21.4.1", status: 400)
        ]
    }

    private static func eventEntries(of part: MultipartBody.Part) -> [MessageExplanation.Entry] {
        var clause = ""
        do throws(EventBodyFault) {
            switch part.contentType.subtype.lowercased() {
            case "pidf+xml":
                clause = "RFC 3863"
                _ = try PresenceDocument(parsing: part.body)
            case "dialog-info+xml":
                clause = "RFC 4235 §4.3"
                _ = try DialogInformation(parsing: part.body)
            case "simple-message-summary":
                clause = "RFC 3842"
                _ = try MessageSummary(parsing: part.body)
            case "reginfo+xml":
                clause = "RFC 3680"
                _ = try RegistrationInformation(parsing: part.body)
            case "im-iscomposing+xml":
                clause = "RFC 3994 §3.3"
                _ = try ComposingState(parsing: part.body)
            case "sipfrag" where StatusFragment(parsing: part.body) == nil:
                return [remark("it does not begin with a status line", "RFC 3515 §2.4.5")]
            default: break
            }
            return []
        } catch {
            return [remark("\(error)", clause)]
        }
    }

    private static func remark(_ text: String, _ clause: String) -> MessageExplanation.Entry {
        MessageExplanation.Entry(kind: .remark, subject: "body", text: text, clause: clause)
    }
}

extension Message {
    /// What a request is owed whose body can't be read; responses and ACK are owed nothing.
    fileprivate var refusalOfBody: Int? {
        guard case .request(let request) = self, request.method != .ack else { return nil }
        return 400
    }
}

extension ContentType {
    fileprivate var isDigit: Bool {
        [SignalledDigit.bare, SignalledDigit.relay].contains { isType($0.type, $0.subtype) }
    }
}
