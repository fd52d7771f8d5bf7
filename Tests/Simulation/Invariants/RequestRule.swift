import EngineKit
import SIPMessages
import SIPTransactions
import SIPUserAgent

/// What a person sends beside calls has one answer, and arrives once and in order.
struct RequestRule {
    private var asked: Set<RequestHandle> = []
    /// The one that was asked for just now, and may be ignored yet.
    private var latest: RequestHandle?
    private var answered: Set<RequestHandle> = []
    /// Something could not be sent.
    private(set) var hadTrouble = false
    /// A text, in one MESSAGE: who never hears whether it was taken says it again under another number.
    private struct Text: Hashable {
        let body: [UInt8]
        let sequence: UInt32?
    }

    /// When each text was told last.
    private var texts: [Text: Instant] = [:]
    /// The CSeq number of the MESSAGE that arrived last, by what it says.
    private var sequences: [[UInt8]: UInt32] = [:]
    /// The tag that the compositor gave last, by Call-ID.
    private var entities: [String: String] = [:]
    /// PUBLISHes that have no answer, and when they left.
    private var published: [TransactionName: Instant] = [:]
    /// Those of them whose answer may come to nobody.
    private var unheeded: Set<TransactionName> = []
    /// The tag that may have been given last, in an answer that nobody may have heeded.
    private var possibleEntities: [String: String] = [:]
    private var seen: Set<TransactionName> = []
    /// Digits by call: those that were to be sent, those that were taken, and those that came.
    private(set) var ordered: [CallHandle: [Character]] = [:]
    private(set) var sent: [CallHandle: [Character]] = [:]
    private(set) var received: [CallHandle: [Character]] = [:]

    mutating func commanded(_ command: Command) {
        latest = nil
        switch command {
        case .request(let handle, _):
            asked.insert(handle)
            latest = handle
        case .sendDigits(let handle, let steps):
            ordered[handle, default: []] += steps.compactMap { step in
                if case .digit(let digit) = step { digit.digit } else { nil }
            }
        default: break
        }
    }

    mutating func told(_ event: Event, at now: Instant, _ findings: inout Findings) {
        switch event {
        case .requestAnswered(let handle, _):
            if !asked.contains(handle) { findings.add(.requestsAreAnswered, "\(handle) answered, and not asked") }
            if !answered.insert(handle).inserted { findings.add(.requestsAreAnswered, "\(handle) answered twice") }
        case .messageReceived(let message):
            // As long as its transaction lives it is known for what it is; it ends where the answer can't be sent.
            let text = Text(body: message.body, sequence: sequences[message.body])
            if !message.body.isEmpty, !hadTrouble, let before = texts.updateValue(now, forKey: text),
                now - before < .seconds(32)
            {
                findings.add(.requestsAreAnswered, "\"\(message.text)\" told twice")
            }
        case .warning(.commandIgnored): if let latest { asked.remove(latest) }
        case .digitSent(let handle, let digit): sent[handle, default: []].append(digit.digit)
        case .digitReceived(let handle, let digit): received[handle, default: []].append(digit.digit)
        default: break
        }
    }

    /// Something could not be sent: what was on its way may have ended, and nobody heeds its answer.
    mutating func noteTrouble() {
        hadTrouble = true
        unheeded.formUnion(published.keys)
    }

    mutating func arrived(_ traffic: Traffic) {
        if let request = traffic.request, request.method == .message {
            sequences[request.body] = request.cSeq.number
        }
        guard let response = traffic.response, response.cSeq.method == .publish, response.status.isFinal,
            let left = published.removeValue(forKey: TransactionName(traffic.message)),
            traffic.at - left < .seconds(32), response.status.isSuccess
        else { return }
        let given = response.headers.first(.sipETag)
        if unheeded.contains(TransactionName(traffic.message)) {
            possibleEntities[response.callID] = given
        } else {
            entities[response.callID] = given
        }
    }

    func atRest(_ findings: inout Findings) {
        for handle in asked.subtracting(answered).sorted(by: { $0.rawValue < $1.rawValue }) {
            findings.add(.requestsAreAnswered, "\(handle) was never answered")
        }
    }

    mutating func sent(_ traffic: Traffic, _ findings: inout Findings) {
        guard let request = traffic.request, request.method == .publish else { return }
        let name = TransactionName(traffic.message)
        guard seen.insert(name).inserted else { return }
        published[name] = traffic.at
        if let condition = request.headers.first(.sipIfMatch), condition != entities[request.callID],
            condition != possibleEntities[request.callID]
        {
            findings.add(.requestsAreAnswered, "PUBLISH under \(condition), which is not what was given last")
        }
    }
}

extension [Character] {
    /// Whether its characters stand in the other list in the same order, with others between.
    func isPart(of other: [Character]) -> Bool {
        var rest = other[...]
        for character in self {
            guard let place = rest.firstIndex(of: character) else { return false }
            rest = rest[(place + 1)...]
        }
        return true
    }
}
