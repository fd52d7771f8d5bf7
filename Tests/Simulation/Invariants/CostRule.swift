import EngineKit
import SIPMessages
import SIPTransactions

/// I7: an INVITE of a stranger whom nobody answered in person costs at most 6 datagrams and 8 KiB until its path is
/// proven; any other request costs one response each time that it arrives.
struct CostRule {
    private var spent: [String: (datagrams: Int, octets: Int)] = [:]
    /// How often INVITEs of a call arrived: each may be answered at once.
    private var invited: [String: Int] = [:]
    private var asked: [TransactionName: Int] = [:]
    /// A response that can't be sent ends its transaction (§17.2.4), and the request that comes again is a new one.
    var hadTrouble = false
    private var answered: [TransactionName: Int] = [:]
    /// The final response of each transaction, and when it first went out.
    private var finals: [TransactionName: (response: Response, at: Instant)] = [:]

    mutating func arrived(_ traffic: Traffic) {
        guard let request = traffic.request else { return }
        if request.method == .invite { invited[request.callID, default: 0] += 1 }
        asked[TransactionName(traffic.message), default: 0] += 1
    }

    /// The INVITE is taken for a new one.
    mutating func began(callID: String) {
        spent[callID] = nil
        invited[callID] = 1
    }

    mutating func sent(_ traffic: Traffic, isBounded: Bool, _ findings: inout Findings) {
        guard let response = traffic.response else { return }
        if response.cSeq.method == .invite {
            var sum = spent[response.callID] ?? (0, 0)
            sum.datagrams += 1
            sum.octets += traffic.bytes.count
            spent[response.callID] = sum
            if isBounded, sum.datagrams > 5 + (invited[response.callID] ?? 1) || sum.octets > 8192 {
                findings.add(.strangersCostLittle, "\(sum.datagrams) datagrams, \(sum.octets) octets for one INVITE")
            }
        } else {
            let name = TransactionName(traffic.message)
            judgeFinal(response, name, traffic, &findings)
            answered[name, default: 0] += 1
            if answered[name, default: 0] > asked[name] ?? 0 {
                findings.add(.strangersCostLittle, "\(response.status) to \(name.method) that nobody asked for")
            }
        }
    }

    /// A request that comes again gets the response that it got (RFC 3261 §17.2.2), as long as that is kept: 64*T1.
    private mutating func judgeFinal(
        _ response: Response, _ name: TransactionName, _ traffic: Traffic, _ findings: inout Findings
    ) {
        guard response.status.isFinal, !traffic.flow.transport.isReliable, !hadTrouble else { return }
        guard let known = finals[name], traffic.at - known.at < .seconds(32) else {
            finals[name] = (response, traffic.at)
            return
        }
        // Who is put off without any state kept may find room by the next time.
        if known.response.status == 503 {
            finals[name] = (response, traffic.at)
        } else if known.response != response {
            findings.add(
                .messagesAreWellFormed, "\(name.method) answered by \(known.response.status), then \(response.status)")
        }
    }
}
