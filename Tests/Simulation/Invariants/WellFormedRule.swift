import EngineKit
import SIPMessages
import SIPTransactions

/// I14: what is sent parses back to the same message, keeps to RFC 3261 §8.1.1 and §12.1, and answers what was asked.
struct WellFormedRule {
    private static let everything = Capabilities(
        methods: Method.known + [Deed.unknownMethod],
        optionTags: ["100rel", "timer", "replaces", "join", "norefersub", "tdialog", "answermode"],
        bodies: [.notify, .message, .info, .publish].map { MethodBodies($0, [.any]) })
    private var asked: [TransactionName: Request] = [:]
    /// Calls in which a peer showed no tag: what is sent to it has none either (RFC 3261 §12.2.1.1).
    private var callsWithoutTag: Set<String> = []

    mutating func arrived(_ traffic: Traffic) {
        noteMissingTag(in: traffic.message)
        guard let request = traffic.request, request.method != .ack else { return }
        let name = TransactionName(traffic.message)
        if asked[name] == nil { asked[name] = request }
    }

    private mutating func noteMissingTag(in message: Message) {
        let tag: String?
        switch message {
        case .request(let request): tag = request.from.tag
        case .response(let response): tag = response.status.value == 100 ? "none is owed" : response.to.tag
        }
        if tag == nil { callsWithoutTag.insert(message.callID) }
    }

    func sent(_ traffic: Traffic, judgesAnswers: Bool, _ findings: inout Findings) {
        let again = traffic.message.bytes
        if (try? MessageParser.parse(again)) != traffic.message {
            findings.add(.messagesAreWellFormed, "\(traffic.message.summary) is another message when written again")
        }
        switch traffic.message {
        case .request(let request): judge(request, &findings)
        case .response(let response): if judgesAnswers { judge(response, &findings) }
        }
    }

    private func judge(_ request: Request, _ findings: inout Findings) {
        if let violation = Validation.violations(of: request, Self.everything).first {
            findings.add(.messagesAreWellFormed, "\(request.method): \(violation)")
        }
        if request.maxForwards == nil { findings.add(.messagesAreWellFormed, "\(request.method) without Max-Forwards") }
        if request.from.tag == nil { findings.add(.messagesAreWellFormed, "\(request.method) without From tag") }
        if request.vias.count != 1 { findings.add(.messagesAreWellFormed, "\(request.method) with a foreign Via") }
        if [.invite, .register, .subscribe, .refer, .notify].contains(request.method),
            !request.headers.contains(.contact)
        {
            findings.add(.messagesAreWellFormed, "\(request.method) without Contact")
        }
        if [.bye, .prack, .notify, .info].contains(request.method), request.to.tag == nil,
            !callsWithoutTag.contains(request.callID)
        {
            findings.add(.messagesAreWellFormed, "\(request.method) outside a dialog")
        }
    }

    private func judge(_ response: Response, _ findings: inout Findings) {
        let what = "\(response.status) \(response.cSeq.method)"
        if response.status != 100, response.to.tag == nil {
            findings.add(.messagesAreWellFormed, "\(what) without tag")
        }
        if response.cSeq.method == .invite, response.status.isSuccess, !response.headers.contains(.contact) {
            findings.add(.messagesAreWellFormed, "\(what) without Contact")
        }
        guard let request = asked[TransactionName(.response(response))] else { return }
        let isCopied =
            request.callID == response.callID && request.cSeq == response.cSeq && request.from == response.from
            && request.vias.map(\.branch) == response.vias.map(\.branch)
            && (request.to.tag == nil || request.to.tag == response.to.tag)
        if !isCopied { findings.add(.messagesAreWellFormed, "\(what) that is not the request's") }
        if response.cSeq.method == .invite, response.status.isSuccess, request.to.tag == nil,
            (try? request.headers.all(RecordRoute.self)) != (try? response.headers.all(RecordRoute.self))
        {
            findings.add(.messagesAreWellFormed, "\(what) without the recorded route")
        }
    }
}

extension Message {
    var bytes: [UInt8] {
        switch self {
        case .request(let request): request.bytes()
        case .response(let response): response.bytes()
        }
    }
}
