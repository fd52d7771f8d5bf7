import EngineKit
import SDP
import SIPMessages
import SIPTransactions

/// What a caller keeps of its INVITE.
struct Invitation: Sendable {
    let call: OutgoingCall
    /// The INVITE without Via and Contact; its CSeq and credentials are those of the last one sent.
    var request: Request
    /// The INVITE's description, so that sending it again does not change it.
    var offer: SessionDescription?
    /// In the order of their first response. Those of other forks stay when one answers: should they answer too, the
    /// numbers of their requests count on.
    var earlyDialogs: [EarlyDialog] = []
    /// The last numbers of those that are over, by the peer's tag. A 2xx may come after the refusal that ended them, and
    /// its dialog counts on (RFC 3261 §12.2.1.1).
    var spentNumbers: [String: UInt32] = [:]
    var hasProvisional = false
    /// Whether a final response is still to come.
    var isPending = true
    /// Whether a CANCEL is wanted; it goes out after a provisional response (§9.1).
    var isCancelled = false
    var isCancelSent = false
    var ringsUntil: Instant?
    /// What was last told of the media that our offer invites.
    var expected: MediaAgreement?
    /// Targets of 3xx responses: still to be tried, and how many may be.
    var redirections: [URI] = []
    var tried: [URI]
    var redirectionsLeft: Int

    /// Early dialogs are over: by a refusal, by BYE, or as the INVITE is sent again.
    mutating func leaveEarlyDialogs(where isOver: (EarlyDialog) -> Bool = { _ in true }) {
        for early in earlyDialogs where isOver(early) && early.dialog.localSequence > request.cSeq.number {
            spentNumbers[early.dialog.remoteTag] = early.dialog.localSequence
        }
        earlyDialogs.removeAll(where: isOver)
    }

    /// The dialog that a response makes. Where it is one that was over, its numbers count on.
    func dialog(answeredBy response: Response) throws(Dialog.Fault) -> Dialog {
        var dialog = try Dialog(of: request, answeredBy: response, fallbackTarget: request.uri)
        if let spent = spentNumbers[dialog.remoteTag] { dialog.countOn(from: spent) }
        return dialog
    }

    /// A dialog made by a 101...199 with a To tag, with its own copy of the offer (forks answer separately).
    struct EarlyDialog: Sendable {
        var dialog: Dialog
        var offerAnswer: OfferAnswer
        /// The RSeq of the last reliable response that came in its order (RFC 3262 §4).
        var lastReliable: UInt32?
        /// Whether offer and answer were exchanged reliably, so that UPDATE may offer (RFC 3311 §5.1).
        var hasSettled = false
        /// Whether a request within it found no dialog there.
        var isLost = false
    }
}

extension InviteSession {
    /// Places a call.
    init(
        calling call: OutgoingCall, handle: CallHandle, account: Boxed<Account>, settings: Boxed<SessionSettings>,
        random: RandomSource
    ) {
        var random = random
        self.init(
            handle: handle, account: account, settings: settings, random: random.split(), phase: .calling,
            offerAnswer: OfferAnswer(local: call.media, sessionID: random.next()), localAddress: .unspecified)
        var from = account.address
        from.tag = random.hexadecimal(16)
        var request = Request(
            method: .invite, uri: call.target.asRequestURI, from: from, to: NameAddress(uri: call.target.asParty),
            callID: random.hexadecimal(32), cSeq: CSeq(number: 1, method: .invite))
        for (name, value) in call.headers.list { try? request.headers.append(name, value) }
        if account.isAnonymous { request.anonymise(behind: account.outboundProxy) }
        invitation = Invitation(
            call: call, request: request, tried: [call.target], redirectionsLeft: call.redirectionLimit)
    }

    mutating func start(at now: Instant) {
        guard let invitation else { return }
        self.invitation?.ringsUntil = invitation.call.ringTimeout.map { now + $0 }
        act(.send(invitation.request, .invite, along: nil))
    }

    /// Adds what depends on the way that a request takes: our Contact and the description with our address.
    mutating func complete(
        _ request: inout Request, for purpose: RequestPurpose, at local: SocketAddress, contact: NameAddress
    ) {
        switch purpose.kind {
        case .bye, .prack, .digit, .request, .acknowledgement:
            return
        case .refer, .notify, .subscribe:
            request.setCapabilities(settings.capabilities, contact: contact)
        case .invite:
            let changed = localAddress != local.address
            localAddress = local.address
            request.setCapabilities(settings.capabilities, contact: contact)
            setSessionTimer(in: &request)
            if settings.reliableProvisionals == .required { request.headers.append(Require([.reliable])) }
            guard invitation?.call.offersInInvite ?? false else { return }
            if changed || invitation?.offer == nil {
                offerAnswer.cancelOffer()
                let offer = try? offerAnswer.makeOffer(address: local.address)
                invitation?.offer = offer
            }
            if let offer = invitation?.offer { request.setDescription(offer) }
        case .reinvite, .update:
            request.setCapabilities(settings.capabilities, contact: contact)
            setSessionTimer(in: &request)
            completeModification(&request, at: local)
        }
    }

    /// The INVITE has left for `peer`, and media may come from there before any response does.
    mutating func inviteSent(to peer: SocketAddress) {
        guard phase == .calling, invitation?.earlyDialogs.isEmpty ?? false, let media = offerAnswer.expectedMedia else {
            return
        }
        let expected = MediaAgreement(media: media, signallingPeer: peer, mayTransmit: false)
        guard invitation?.expected != expected else { return }
        invitation?.expected = expected
        emit(.offered(handle, expected))
    }

    // MARK: - Responses to the INVITE

    mutating func receiveInviteResponse(_ response: Response, over flow: Flow, at now: Instant) {
        if response.status.isProvisional {
            receiveProvisional(response, over: flow, at: now)
        } else if response.status.isSuccess {
            receiveSuccess(response, over: flow, at: now)
        } else {
            receiveFailure(response, at: now)
        }
    }

    private mutating func receiveFailure(_ response: Response, at now: Instant) {
        guard invitation?.isPending ?? false else { return }
        invitation?.isPending = false
        invitation?.leaveEarlyDialogs()
        guard phase == .calling else { return }
        let goesOn =
            switch response.status.value {
            case ..<400: follow(response)
            case 422 where raiseMinimumInterval(to: response): callWithLongerInterval()
            // One of the targets refuses, perhaps not the next; a 6xx speaks for all of them (§8.1.3.4, §21.6).
            case ..<600: tryNextRedirection()
            default: false
            }
        if !goesOn { end(.refused(by: response), at: now) }
    }

    /// Tries the next target of a 3xx (§8.1.3.4): at most five, none twice, none less secure than what was asked for.
    /// A proxy that has to be used (305) and another service (380) are no other places of who was called (§21.3).
    private mutating func follow(_ response: Response) -> Bool {
        guard let invitation, invitation.redirectionsLeft > 0, (300...302).contains(response.status.value) else {
            return false
        }
        for target in response.redirectionTargets {
            if invitation.request.uri.isSecure && !target.isSecure { continue }
            let known = invitation.tried + (self.invitation?.redirections ?? [])
            if !known.contains(where: { $0.isSame(as: target) }) { self.invitation?.redirections.append(target) }
        }
        return tryNextRedirection()
    }

    private mutating func tryNextRedirection() -> Bool {
        guard var invitation, invitation.redirectionsLeft > 0, !invitation.redirections.isEmpty else { return false }
        let target = invitation.redirections.removeFirst()
        invitation.redirectionsLeft -= 1
        invitation.tried.append(target)
        invitation.request.uri = target.asRequestURI
        send(again: invitation)
        return true
    }

    /// Asks once more, for an interval that the 422 said is long enough (RFC 4028 §7.3).
    private mutating func callWithLongerInterval() -> Bool {
        guard let invitation else { return false }
        send(again: invitation)
        return true
    }

    /// Sends the INVITE in a new transaction, with the next number and without the credentials that were used up.
    private mutating func send(again invitation: Invitation) {
        var invitation = invitation
        invitation.request.cSeq.number += 1
        invitation.request.headers.removeAll(.authorization)
        invitation.request.headers.removeAll(.proxyAuthorization)
        invitation.isPending = true
        invitation.hasProvisional = false
        self.invitation = invitation
        act(.send(invitation.request, .invite, along: nil))
    }

    // MARK: - Failures without a response

    mutating func inviteFailed(_ failure: RequestFailure, at now: Instant) {
        guard invitation?.isPending ?? false else { return }
        invitation?.isPending = false
        guard phase == .calling else { return }
        // A target that nothing of ours speaks to was not tried; each is named once, so that there are not more of them.
        let isRedirected = (invitation?.tried.count ?? 0) > 1
        if isRedirected, failure.isOfOurTransports { invitation?.redirectionsLeft += 1 }
        guard !tryNextRedirection() else { return }
        end(.failed(failure), at: now)
    }

    mutating func giveUpRinging(at now: Instant) {
        invitation?.ringsUntil = nil
        guard phase == .calling else { return }
        let cause: CallEnd.Cause = invitation?.hasProvisional ?? false ? .ringTimeout : .timedOut
        end(CallEnd(cause: cause, by: .local), at: now)
    }
}

extension URI {
    /// Whether both name the same place (§19.1.4).
    fileprivate func isSame(as other: URI) -> Bool {
        guard let mine = sipURI, let theirs = other.sipURI else { return self == other }
        return mine.isEquivalent(to: theirs)
    }
}
