import EngineKit
import SIPMessages
import SIPTransactions

/// A message that a phone sends or gets, as the invariants look at it.
struct Traffic {
    let message: Message
    let bytes: [UInt8]
    let flow: Flow
    let at: Instant

    var request: Request? {
        if case .request(let request) = message { request } else { nil }
    }

    var response: Response? {
        if case .response(let response) = message { response } else { nil }
    }
}

/// The name of a transaction as its messages bear it.
struct TransactionName: Hashable {
    let branch: String
    let sentBy: String
    let method: Method

    init(_ message: Message) {
        branch = message.vias.first?.branch ?? ""
        sentBy = message.vias.first?.sentBy ?? ""
        switch message {
        case .request(let request): method = request.method
        case .response(let response): method = response.cSeq.method
        }
    }

    /// The transaction of another method that the same Via names: the INVITE of an ACK or CANCEL.
    func of(_ method: Method) -> TransactionName {
        TransactionName(branch: branch, sentBy: sentBy, method: method)
    }

    private init(branch: String, sentBy: String, method: Method) {
        self.branch = branch
        self.sentBy = sentBy
        self.method = method
    }
}

/// What the rules of one phone found.
struct Findings {
    private(set) var list: [(Invariant, String)] = []

    var isEmpty: Bool { list.isEmpty }

    mutating func add(_ invariant: Invariant, _ text: String) {
        list.append((invariant, text))
    }

    mutating func add(_ others: Findings) {
        list += others.list
    }
}
