import EngineKit
import SIPMessages
import SIPTransactions
import SIPUserAgent

/// A transfer is told of to its end, and what is told of it is so (RFC 3515 §2.4.5, RFC 5589).
struct TransferRule {
    private enum Stage { case asked, sent, told, decided }

    /// Transfers that the phone asked for, by the call.
    private var own: [CallHandle: Stage] = [:]
    /// Calls whose peer asked for a transfer that nobody has decided on.
    private var open: Set<CallHandle> = []
    /// Calls that peers asked for, and the calls in which they did.
    private var referrers: [CallHandle: CallHandle] = [:]
    /// The calls whose peer's wish came true.
    private var fulfilled: Set<CallHandle> = []
    private var seen: Set<TransactionName> = []

    mutating func commanded(_ command: Command) {
        switch command {
        case .transfer(let handle, _, _):
            if own[handle] == nil || own[handle] == .decided { own[handle] = .asked }
        case .acceptTransfer(let handle, let new, _, _):
            if open.remove(handle) != nil { referrers[new] = handle }
        case .declineTransfer(let handle):
            open.remove(handle)
        default:
            break
        }
    }

    mutating func told(_ event: Event, _ findings: inout Findings) {
        switch event {
        case .transferProgress(let handle, let progress):
            let stage = own[handle]
            if stage == nil || stage == .decided {
                findings.add(.transfersAreTold, "\(progress) of \(handle), which is not being transferred")
            }
            if progress == .accepted, stage == .told {
                findings.add(.transfersAreTold, "\(handle) accepted after it was told of")
            }
            switch progress {
            case .accepted, .progress: own[handle] = .told
            case .succeeded, .failed, .unknown: own[handle] = .decided
            }
        case .transferRequested(let handle, _):
            open.insert(handle)
            fulfilled.remove(handle)
        case .transferWithdrawn(let handle):
            if open.remove(handle) == nil { findings.add(.transfersAreTold, "\(handle) withdrawn, and not asked for") }
        case .answered(let handle, _):
            if let referrer = referrers[handle] { fulfilled.insert(referrer) }
        case .ended(let handle, let end):
            if end.cause == .transferred, own[handle] != .decided {
                findings.add(.transfersAreTold, "\(handle) was transferred, and nobody was told")
            }
        default:
            break
        }
    }

    mutating func sent(_ traffic: Traffic, in call: CallHandle?, _ findings: inout Findings) {
        guard let request = traffic.request, let call, seen.insert(TransactionName(traffic.message)).inserted else {
            return
        }
        switch request.method {
        case .refer:
            if own[call] == .asked { own[call] = .sent }
        case .notify:
            guard let status = StatusFragment(parsing: request.body)?.status, status.isFinal else { return }
            if status.isSuccess != fulfilled.contains(call) {
                findings.add(.transfersAreTold, "\(status) told of the call that \(call) led to, which is not so")
            }
        default:
            break
        }
    }

    func atRest(_ findings: inout Findings) {
        for (handle, stage) in own.sorted(by: { $0.key < $1.key }) where stage == .sent || stage == .told {
            findings.add(.transfersAreTold, "nobody was told what became of the transfer of \(handle)")
        }
    }
}
