import SIPMessages
import SIPTransactions

/// The requests of a phone by their branches: what comes back under one of them, and answers something else, is to be
/// passed over (RFC 3261 §18.1.2, §8.2.6.2).
struct SentRequests {
    private struct Name: Hashable {
        let branch: String
        let method: Method
    }

    private struct Request {
        let sentBy: String
        let callID: String
        let sequence: UInt32
    }

    private var requests: [Name: Request] = [:]

    mutating func note(_ traffic: Traffic) {
        guard let request = traffic.request, let via = request.vias.first, let branch = via.branch else { return }
        requests[Name(branch: branch, method: request.method)] = Request(
            sentBy: via.sentBy, callID: request.callID, sequence: request.cSeq.number)
    }

    /// Whether a response is for the request that its branch names, or its branch names none.
    func isAnswered(by response: Response) -> Bool {
        guard let via = response.vias.first, let branch = via.branch,
            let request = requests[Name(branch: branch, method: response.cSeq.method)]
        else { return true }
        return via.sentBy == request.sentBy && response.callID == request.callID
            && response.cSeq.number == request.sequence
    }
}
