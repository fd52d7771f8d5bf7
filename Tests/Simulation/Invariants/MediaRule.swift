import EngineKit
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent

/// I5: media goes only to addresses that the peer named in this call, and to a stranger whom nobody answered not before
/// it has shown that it hears us.
struct MediaRule {
    private struct Call {
        let callID: String
        var isBoundedIfAutomatic = false
        /// Whether nobody was to be asked, and the rules allowed it.
        var wantsAutomatic = false
        var isAutomatic = false
        var isProven = false
        var isOver = false

        var mayTransmit: Bool { isProven || !(isAutomatic && isBoundedIfAutomatic) }
    }

    private var calls: [CallHandle: Call] = [:]
    private var handles: [String: [CallHandle]] = [:]
    /// The branches of INVITEs, which the ACKs of refusals share.
    private var invitations: Set<String?> = []
    /// Where the descriptions that arrived ask for media, by Call-ID.
    private var named: [String: Set<SocketAddress>] = [:]

    /// Whether the call is a stranger's whom no person answered and whose path is not proven.
    func isBounded(callID: String) -> Bool {
        (handles[callID] ?? []).contains { calls[$0].map { !$0.mayTransmit } ?? false }
    }

    mutating func arrived(_ traffic: Traffic) {
        let (callID, headers, body) =
            switch traffic.message {
            case .request(let request): (request.callID, request.headers, request.body)
            case .response(let response): (response.callID, response.headers, response.body)
            }
        if let request = traffic.request {
            if request.method == .invite { invitations.insert(request.vias.first?.branch) }
            // Only who got a response of ours knows our tag; a refusal that left no state had another one.
            let isOfRefusal = request.method == .ack && invitations.contains(request.vias.first?.branch)
            if request.to.tag != nil, !isOfRefusal {
                for handle in handles[callID] ?? [] { calls[handle]?.isProven = true }
            }
        }
        guard !body.isEmpty, headers.first(.contentType) != nil,
            let description = try? SessionDescription(parsing: body)
        else { return }
        for section in description.media {
            guard let address = description.connection(of: section)?.address else { continue }
            named[callID, default: []].insert(SocketAddress(address, port: section.port))
        }
    }

    mutating func commanded(_ command: Command) {
        if case .answer(let handle, _, _, let automatic) = command { calls[handle]?.wantsAutomatic = automatic }
    }

    mutating func told(_ event: Event, _ findings: inout Findings) {
        switch event {
        case .placed(let handle, let callID):
            calls[handle] = Call(callID: callID)
            handles[callID, default: []].append(handle)
        case .incomingCall(let handle, let call):
            var known = Call(callID: call.callID)
            known.isBoundedIfAutomatic = call.trust == .stranger && call.flow.transport == .udp
            calls[handle] = known
            // An INVITE that comes again very late makes another call of the same Call-ID: how the one before was answered
            // says nothing of it.
            handles[call.callID, default: []].removeAll { calls[$0]?.isOver ?? true }
            handles[call.callID, default: []].append(handle)
        case .answered(let handle, _):
            if let wanted = calls[handle]?.wantsAutomatic { calls[handle]?.isAutomatic = wanted }
        case .earlyMedia(let handle, _, let agreement), .mediaAgreed(let handle, let agreement):
            guard let call = calls[handle] else { return }
            if agreement.mayTransmit && !call.mayTransmit {
                findings.add(.mediaKeepsToTheRules, "media may leave to a stranger who proved nothing")
            }
            if let target = agreement.media.remoteRTP, named[call.callID]?.contains(target) != true {
                findings.add(.mediaKeepsToTheRules, "media goes to \(target), which the peer did not name")
            }
        case .pathProven(let handle):
            if let call = calls[handle], !call.isProven {
                findings.add(.mediaKeepsToTheRules, "the path of \(handle) is proven by nothing")
            }
        case .ended(let handle, _):
            calls[handle]?.isOver = true
        default:
            break
        }
    }
}
