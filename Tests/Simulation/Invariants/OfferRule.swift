import EngineKit
import SIPMessages
import SIPTransactions

/// I10: no INVITE within a dialog while another one of either side waits for its final response (RFC 3261 §14.1).
struct OfferRule {
    private struct DialogName: Hashable {
        let callID: String
        let localTag: String
        let remoteTag: String
    }

    /// The CSeq of our INVITE that waits.
    private var ours: [DialogName: UInt32] = [:]
    private var theirs: [DialogName: UInt32] = [:]

    mutating func sent(_ traffic: Traffic, _ findings: inout Findings) {
        switch traffic.message {
        case .request(let request) where request.method == .invite:
            guard let remoteTag = request.to.tag else { return }
            let dialog = DialogName(callID: request.callID, localTag: request.from.tag ?? "", remoteTag: remoteTag)
            if let waiting = ours[dialog], waiting != request.cSeq.number {
                findings.add(.offersTakeTurns, "INVITE \(request.cSeq.number) while \(waiting) waits")
            }
            if ours[dialog] == nil, let waiting = theirs[dialog] {
                findings.add(.offersTakeTurns, "INVITE while INVITE \(waiting) of the peer waits")
            }
            ours[dialog] = request.cSeq.number
        case .response(let response) where response.cSeq.method == .invite && response.status.isFinal:
            let dialog = DialogName(
                callID: response.callID, localTag: response.to.tag ?? "", remoteTag: response.from.tag ?? "")
            if theirs[dialog] == response.cSeq.number { theirs[dialog] = nil }
            if response.status.isSuccess, let waiting = ours[dialog] {
                findings.add(.offersTakeTurns, "INVITE of the peer accepted while INVITE \(waiting) waits")
            }
        default:
            break
        }
    }

    mutating func arrived(_ traffic: Traffic) {
        switch traffic.message {
        case .request(let request) where request.method == .invite:
            guard let localTag = request.to.tag else { return }
            let dialog = DialogName(callID: request.callID, localTag: localTag, remoteTag: request.from.tag ?? "")
            // One that comes again may have been answered; the newest counts.
            if request.cSeq.number > theirs[dialog] ?? 0, !seen.contains(Seen(dialog, request.cSeq.number)) {
                theirs[dialog] = request.cSeq.number
                seen.insert(Seen(dialog, request.cSeq.number))
            }
        case .response(let response) where response.cSeq.method == .invite && response.status.isFinal:
            // Whatever tag it bears: it belongs to the transaction of the INVITE.
            ours = ours.filter { dialog, number in
                dialog.callID != response.callID || dialog.localTag != response.from.tag ?? ""
                    || number != response.cSeq.number
            }
        default:
            break
        }
    }

    private struct Seen: Hashable {
        let dialog: DialogName
        let sequence: UInt32

        init(_ dialog: DialogName, _ sequence: UInt32) {
            self.dialog = dialog
            self.sequence = sequence
        }
    }

    private var seen: Set<Seen> = []

    /// A request of ours failed without a response.
    mutating func excuse() {
        ours = [:]
    }
}
