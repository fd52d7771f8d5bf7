import EngineKit
import SIPMessages
import SIPTransactions

/// The dialog that a REFER makes which goes beside the dialog of the call that it is about, and names that call by
/// Target-Dialog (RFC 4538, RFC 5589 §5.1). The requests of its subscription go here.
struct ReferralDialog: Sendable {
    let callID: String
    let localTag: String
    /// nil at the referrer until the first NOTIFY (RFC 6665 §4.4.1).
    private(set) var dialog: Dialog?
    /// Where the other side's messages last came from.
    private(set) var peer: Flow?

    /// Of a REFER that we send.
    init(of request: Request) {
        callID = request.callID
        localTag = request.from.tag ?? ""
    }

    /// Of a REFER that came.
    init(_ dialog: Dialog, over flow: Flow) {
        callID = dialog.callID
        localTag = dialog.localTag
        self.dialog = dialog
        peer = flow
    }

    var key: UserAgentCore.CallKey { UserAgentCore.CallKey(callID: callID, localTag: localTag) }

    /// Takes a request within the dialog, which the first NOTIFY makes.
    ///
    /// - Parameter sequence: the CSeq number of our last request.
    /// - Returns: what it is refused with, or nil.
    mutating func refusal(of request: Request, after sequence: UInt32, over flow: Flow) -> StatusCode? {
        if let dialog {
            guard dialog.remoteTag == request.from.tag ?? "" else { return 481 }
            guard self.dialog?.accept(request.cSeq.number) == .inOrder else { return 500 }
            self.dialog?.refreshTarget(from: request.headers)
        } else {
            dialog = try? Dialog(of: request, localTag: localTag, localSequence: sequence)
            guard dialog != nil else { return 400 }
        }
        peer = flow
        return nil
    }

    mutating func request(_ method: Method) -> Request? { dialog?.request(method) }

    /// The number for the REFER or a later request that is sent again with credentials.
    mutating func nextSequence(after sequence: UInt32) -> UInt32 { dialog?.nextSequence() ?? sequence + 1 }
}

/// The dialogs of a call's referrals beside its own.
struct ReferralKeys: Equatable, Sendable {
    var sent: UserAgentCore.CallKey?
    var received: UserAgentCore.CallKey?
}

extension InviteSession {
    var referralKeys: ReferralKeys {
        mutating get {
            var keys = ReferralKeys()
            // Most calls have none, and to look into one copies it.
            guard sentReferral != nil || receivedReferral != nil else { return keys }
            if case .some(let referral) = sentReferral { keys.sent = referral.beside?.key }
            if case .some(let referral) = receivedReferral { keys.received = referral.beside?.key }
            return keys
        }
    }

    /// The dialog beside the call's in which requests of that kind go; nil: they go in the call's.
    func referralDialog(of kind: RequestPurpose.Kind) -> ReferralDialog? {
        switch kind {
        case .refer, .subscribe: sentReferral?.beside
        case .notify: receivedReferral?.beside
        default: nil
        }
    }

    /// Whether a request names a dialog of a referral of this call rather than one of the call itself.
    mutating func isBeside(_ request: Request) -> Bool { isBeside(request, to: request.to.tag) }

    /// The same where the To tag was read already.
    mutating func isBeside(_ request: Request, to tag: String?) -> Bool {
        request.callID != callID || tag != localTag
    }

    /// A request in such a dialog: only the subscription has a place there.
    mutating func receiveBeside(
        _ request: Request, in transaction: ServerTransactionID, over flow: Flow, contact: NameAddress, at now: Instant
    ) {
        switch request.method {
        case .notify: receiveNotify(request, in: transaction, over: flow, at: now)
        case .subscribe: receiveSubscribe(request, in: transaction, over: flow, contact: contact, at: now)
        default: act(.respond(request.response(request.method == .bye ? 481 : 405), transaction))
        }
    }
}
