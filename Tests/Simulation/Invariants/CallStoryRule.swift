import EngineKit
import SIPMessages
import SIPUserAgent

/// I9, I11 and the causes of I2: what a phone tells of a call comes in an order that makes sense, is answered by those
/// who took it, and ends for a reason that the network saw.
struct CallStoryRule {
    private struct Story {
        var callID: String
        let isIncoming: Bool
        var isAnswered = false
        var isEstablished = false
        var isHeld = false
        var isEnded = false
        /// Whether somebody took it.
        var isTaken = false
    }

    private var stories: [CallHandle: Story] = [:]
    /// Methods of requests and classes of responses that arrived, by Call-ID.
    private var heard: [String: Set<Heard>] = [:]

    /// The tags that are ours, by Call-ID: what bears another one is of another call.
    private var tags: [String: Set<String>] = [:]

    private enum Heard: Hashable {
        case request(Method)
        case refusal
        case acceptance
        /// An INVITE that wants the place of the call.
        case replacement
        /// A REFER outside the call that names it.
        case referral
    }

    mutating func sent(_ traffic: Traffic) {
        switch traffic.message {
        case .request(let request): tags[request.callID, default: []].insert(request.from.tag ?? "")
        case .response(let response):
            guard response.cSeq.method == .invite else { return }
            tags[response.callID, default: []].insert(response.to.tag ?? "")
        }
    }

    mutating func arrived(_ traffic: Traffic) {
        switch traffic.message {
        case .request(let request):
            if let tag = request.to.tag, tags[request.callID]?.contains(tag) != true { return }
            heard[request.callID, default: []].insert(.request(request.method))
            if let replaces = try? request.headers.first(Replaces.self) {
                heard[replaces.callID, default: []].insert(.replacement)
            }
            if request.method == .refer, let named = try? request.headers.first(TargetDialog.self),
                tags[named.callID]?.contains(named.ownTag) == true
            {
                heard[named.callID, default: []].insert(.referral)
            }
        case .response(let response):
            guard response.status.isFinal else { return }
            heard[response.callID, default: []].insert(response.status.isSuccess ? .acceptance : .refusal)
        }
    }

    mutating func commanded(_ command: Command) {
        if case .answer(let handle, _, _, _) = command { stories[handle]?.isTaken = true }
    }

    func callID(of handle: CallHandle) -> String? { stories[handle]?.callID }

    /// The first of them, so that a run repeats.
    func handle(ofIncoming callID: String) -> CallHandle? {
        stories.filter { $0.value.isIncoming && $0.value.callID == callID }.keys.min()
    }

    /// Whether one call alone has that Call-ID: none came back to who placed it, and none came again very late.
    func isOneCall(_ callID: String) -> Bool { stories.values.count { $0.callID == callID } == 1 }

    func handle(of callID: String) -> CallHandle? { stories.filter { $0.value.callID == callID }.keys.min() }

    func tag(of callID: String) -> String? { tags[callID]?.min() }

    func isEstablished(_ handle: CallHandle) -> Bool { stories[handle]?.isEstablished ?? false }

    var openCalls: [CallHandle] { stories.filter { !$0.value.isEnded }.keys.sorted() }

    /// - Parameter judgesCauses: whether what arrived is what the peer sent.
    mutating func told(_ event: Event, judgesCauses: Bool, _ findings: inout Findings) {
        switch event {
        case .placed(let handle, let callID):
            stories[handle] = Story(callID: callID, isIncoming: false)
        case .incomingCall(let handle, let call):
            if stories[handle] != nil { findings.add(.eventsAreInOrder, "\(handle) came in twice") }
            stories[handle] = Story(callID: call.callID, isIncoming: true)
            judgeJoining(call, as: handle, &findings)
        case .trying(let handle), .offered(let handle, _), .pathProven(let handle), .peerMoved(let handle, _),
            .mediaAgreed(let handle, _):
            expect(handle, "\(event)".prefix { $0 != "(" }, &findings) { !$0.isEnded }
        case .ringing(let handle, _):
            expect(handle, "ringing", &findings) { !$0.isIncoming && !$0.isAnswered && !$0.isEnded }
        case .earlyMedia(let handle, _, _):
            expect(handle, "early media", &findings) { !$0.isAnswered && !$0.isEnded }
        case .answered(let handle, _):
            expect(handle, "answered", &findings) { !$0.isAnswered && !$0.isEnded }
            if let story = stories[handle], story.isIncoming, !story.isTaken {
                findings.add(.nobodyIsHeardUnasked, "\(handle) was answered by nobody")
            }
            stories[handle]?.isAnswered = true
        case .established(let handle):
            expect(handle, "established", &findings) { $0.isAnswered && !$0.isEstablished && !$0.isEnded }
            stories[handle]?.isEstablished = true
        case .heldByPeer(let handle), .resumedByPeer(let handle):
            let isHeld = if case .heldByPeer = event { true } else { false }
            expect(handle, isHeld ? "held" : "resumed", &findings) {
                !$0.isEnded && $0.isHeld != isHeld
            }
            stories[handle]?.isHeld = isHeld
        case .transferRequested(let handle, _):
            expect(handle, "a wish for a transfer", &findings) { !$0.isEnded }
            let wishes = heard[stories[handle]?.callID ?? ""] ?? []
            if judgesCauses, wishes.isDisjoint(with: [.referral, .request(.refer)]) {
                findings.add(.transfersAreTold, "a transfer of \(handle), for which nobody asked")
            }
        case .modified(let handle), .modifyFailed(let handle, _):
            expect(handle, "modified", &findings) { !$0.isEnded }
        case .ended(let handle, let end):
            // A call that could not even begin ends without ever having been placed.
            if stories[handle]?.isEnded ?? false { findings.add(.everyCallEnds, "\(handle) ended twice") }
            stories[handle]?.isEnded = true
            if judgesCauses { judge(end, of: handle, &findings) }
        default:
            break
        }
    }

    /// Whoever wants to be let into a call names its dialog, and a person lets it in (RFC 3911 §4).
    private func judgeJoining(_ call: IncomingCall, as handle: CallHandle, _ findings: inout Findings) {
        guard let joined = call.joining else { return }
        let join = try? call.headers.first(Join.self)
        guard let join, let story = stories[joined], story.callID == join.callID,
            tags[join.callID]?.contains(join.ownTag) == true
        else { return findings.add(.nobodyIsHeardUnasked, "\(handle) is let near \(joined), which it did not name") }
        if call.mayAnswerAutomatically {
            findings.add(.nobodyIsHeardUnasked, "\(handle) may join \(joined) without a person")
        }
    }

    private func expect(
        _ handle: CallHandle, _ what: some StringProtocol, _ findings: inout Findings, _ holds: (Story) -> Bool
    ) {
        guard let story = stories[handle] else {
            return findings.add(.eventsAreInOrder, "\(what) of \(handle), which nobody knows")
        }
        if !holds(story) { findings.add(.eventsAreInOrder, "\(what) of \(handle) in \(story)") }
    }

    /// Whoever is said to have ended a call must have been heard to.
    private func judge(_ end: CallEnd, of handle: CallHandle, _ findings: inout Findings) {
        guard end.by == .remote, let callID = stories[handle]?.callID else { return }
        let heard = heard[callID] ?? []
        let isTrue: Bool =
            switch end.cause {
            case .hungUp: heard.contains(.request(.bye))
            case .cancelled: heard.contains(.request(.cancel)) || heard.contains(.request(.bye))
            case .refused: heard.contains(.refusal)
            case .replaced: heard.contains(.replacement)
            default: true
            }
        if !isTrue { findings.add(.bothSidesAgree, "\(handle) ended as \(end.cause) by the peer, who did not") }
    }

    /// Looks at a world in which nothing is on its way: what the peer ended is over.
    func atPeace(_ findings: inout Findings) {
        for (handle, story) in stories.sorted(by: { $0.key < $1.key }) where !story.isEnded {
            // An INVITE that comes again very late makes another call of the same Call-ID.
            guard isOneCall(story.callID) else { continue }
            let heard = heard[story.callID] ?? []
            if story.isIncoming, heard.contains(.request(.bye)) {
                findings.add(.bothSidesAgree, "\(handle) stands, though a BYE came")
            }
            if story.isIncoming, !story.isAnswered, heard.contains(.request(.cancel)) {
                findings.add(.bothSidesAgree, "\(handle) rings on, though a CANCEL came")
            }
        }
    }

    /// The calls that were told of and not ended.
    func atRest(_ findings: inout Findings) {
        for (handle, story) in stories.sorted(by: { $0.key < $1.key }) where !story.isEnded {
            findings.add(.everyCallEnds, "\(story.isIncoming ? "incoming" : "outgoing") \(handle) never ended")
        }
    }
}
