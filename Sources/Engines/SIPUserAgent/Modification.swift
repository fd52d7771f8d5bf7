import EngineKit
import SDP
import SIPMessages

/// A re-INVITE or UPDATE of ours: wanted, on its way, or waiting to be tried again. One at a time, whatever it is for.
struct Modification: Sendable {
    /// An offer is to be made as soon as the dialog is free for it.
    var isWanted = false
    /// Whether the user asked for something since the last one was sent; else what is offered again is what stands.
    var isAskedAnew = false
    /// The session is to be refreshed as soon as the dialog is free for it (RFC 4028 §10).
    var isRefreshDue = false
    /// Whether the user asked for UPDATE rather than re-INVITE.
    var prefersUpdate = false
    /// As last sent, without Via and Contact; nil: none is on its way.
    var request: Request? {
        didSet { if let request, request.method == .invite { sequence = request.cSeq.number } }
    }
    /// The CSeq number of the last re-INVITE sent, whose 2xx is owed an ACK also when the call is over.
    var sequence: UInt32?
    /// The peer's tag in the dialog of the last one sent.
    var remoteTag = ""
    /// Whether the last one sent changes nothing, and whether it offers.
    var isRefresh = false
    var offers = false
    /// The peer refused a refresh without a description: those to come offer what was agreed on.
    var refreshesOffer = false
    var offer: SessionDescription?
    /// What we bring in it: once it is accepted, what a refusal of the next one goes back to.
    var offered: LocalMedia?
    /// The RSeq of the last reliable response to the re-INVITE, and the answer that one of them bore (RFC 3262 §5).
    var lastReliable: UInt32?
    var answer: SessionDescription?
    /// What we brought before, to go back to where the peer refuses.
    var previous: LocalMedia?
    var retryAt: Instant?
    var attempts = 0

    /// Notes a request that is about to leave within the dialog with that tag of the peer.
    mutating func begin(_ request: Request, in remoteTag: String) {
        isRefresh = !isWanted
        offers = isWanted || request.method == .invite || refreshesOffer
        isWanted = false
        isAskedAnew = false
        isRefreshDue = false
        offer = nil
        offered = nil
        lastReliable = nil
        answer = nil
        self.remoteTag = remoteTag
        self.request = request
    }

    /// What was sent is wanted once more.
    mutating func wantAgain() {
        if isRefresh { isRefreshDue = true } else { isWanted = true }
    }

    /// Whether an offer of ours is unanswered in the dialog with that tag of the peer, or about to be made.
    func isOffering(in remoteTag: String) -> Bool {
        request != nil && offers && self.remoteTag == remoteTag
    }
}
