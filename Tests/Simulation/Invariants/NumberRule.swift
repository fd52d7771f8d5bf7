import EngineKit
import SIPMessages
import SIPTransactions

/// I9: CSeq rises within a dialog side, a branch names one request, a nonce count is used once.
struct NumberRule {
    private struct Side: Hashable {
        let callID: String
        let localTag: String
        let remoteTag: String
    }

    private struct NonceUse: Hashable {
        let nonce: String
        let count: UInt32
    }

    private var sequences: [Side: (number: UInt32, method: Method, flow: Flow)] = [:]
    private var requests: [TransactionName: [UInt8]] = [:]
    /// INVITEs that a provisional response came for.
    private var provisional: Set<TransactionName> = []
    private var nonces: [NonceUse: String] = [:]
    /// The Call-ID in which a From tag was used.
    private var tags: [String: String] = [:]

    mutating func arrived(_ traffic: Traffic) {
        guard let response = traffic.response, response.status.isProvisional else { return }
        provisional.insert(TransactionName(traffic.message))
    }

    mutating func sent(_ traffic: Traffic, _ findings: inout Findings) {
        guard let request = traffic.request else { return }
        let name = TransactionName(traffic.message)
        guard name.branch.hasPrefix(Via.magicCookie) else {
            return findings.add(.numbersAreFresh, "\(request.method) without the magic cookie")
        }
        if let known = requests[name] {
            if known != traffic.bytes { findings.add(.numbersAreFresh, "branch \(name.branch) of two requests") }
            return
        }
        requests[name] = traffic.bytes
        judgeSequence(of: request, name, over: traffic.flow, &findings)
        judgeNonces(of: request, name, &findings)
        if request.method == .invite, request.to.tag == nil, let tag = request.from.tag {
            let known = tags.updateValue(request.callID, forKey: tag)
            if let known, known != request.callID { findings.add(.numbersAreFresh, "From tag \(tag) in two calls") }
        }
    }

    private mutating func judgeSequence(
        of request: Request, _ name: TransactionName, over flow: Flow, _ findings: inout Findings
    ) {
        switch request.method {
        case .cancel:
            if !provisional.contains(name.of(.invite)) {
                findings.add(.numbersAreFresh, "CANCEL of no INVITE, or before its provisional response")
            }
        case .ack:
            break
        default:
            let side = Side(
                callID: request.callID, localTag: request.from.tag ?? "", remoteTag: request.to.tag ?? "")
            let before = sequences[side]
            sequences[side] = (request.cSeq.number, request.method, flow)
            guard let before else { return }
            // The same request to the next destination keeps its number (RFC 3263 §4.3).
            let isFailover =
                before.number == request.cSeq.number && before.method == request.method && before.flow != flow
            if request.cSeq.number <= before.number && !isFailover {
                findings.add(.numbersAreFresh, "CSeq \(request.cSeq) after \(before.number) \(before.method)")
            }
        }
    }

    private mutating func judgeNonces(of request: Request, _ name: TransactionName, _ findings: inout Findings) {
        // The ACK repeats what its INVITE said (RFC 3261 §22.1).
        guard request.method != .ack, request.method != .cancel else { return }
        let shown =
            ((try? request.headers.all(Authorization.self)) ?? []).map(\.parameters)
            + ((try? request.headers.all(ProxyAuthorization.self)) ?? []).map(\.parameters)
        for parameters in shown {
            guard let nonce = parameters["nonce"], let count = parameters["nc"].flatMap({ UInt32($0, radix: 16) })
            else { continue }
            let known = nonces.updateValue(name.branch, forKey: NonceUse(nonce: nonce, count: count))
            if known != nil { findings.add(.numbersAreFresh, "nonce count \(count) used twice") }
        }
    }
}
