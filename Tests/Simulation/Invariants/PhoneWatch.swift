import EngineKit
import SIPMessages
import SIPTransactions
import SIPUserAgent

/// Everything that is watched at one phone: what it sends, gets, is told to do and tells.
struct PhoneWatch {
    var numbers = NumberRule()
    var repetitions = RequestRepetitionRule()
    var acknowledgements = AcknowledgementRule()
    var finalResponses = FinalResponseRule()
    var story = CallStoryRule()
    var media = MediaRule()
    var cost = CostRule()
    var credentials = CredentialRule()
    var offers = OfferRule()
    var wishes = WishRule()
    var sequences = SequenceRule()
    var subscriber = SubscriberRule()
    var notifier = NotifierRule()
    var transfers = TransferRule()
    var requests = RequestRule()
    var form = WellFormedRule()
    private var asked = SentRequests()
    /// What the person wants to be seen as.
    private(set) var isOpen = true
    /// The resolver failed, or something could not be sent: then an ACK or BYE may be missing.
    private(set) var hadTrouble = false
    /// A message arrived that nobody sent so: then only what holds for any input is judged.
    var isDeceived = false

    mutating func sent(_ traffic: Traffic, _ findings: inout Findings) {
        let callID =
            switch traffic.message {
            case .request(let request): request.callID
            case .response(let response): response.callID
            }
        let isBounded = media.isBounded(callID: callID)
        asked.note(traffic)
        story.sent(traffic)
        form.sent(traffic, judgesAnswers: !isDeceived, &findings)
        numbers.sent(traffic, &findings)
        credentials.sent(traffic, &findings)
        guard !isDeceived else { return }
        repetitions.sent(traffic, &findings)
        acknowledgements.sent(traffic, &findings)
        finalResponses.sent(traffic, isBounded: isBounded, &findings)
        cost.sent(traffic, isBounded: isBounded, &findings)
        offers.sent(traffic, &findings)
        sequences.sent(traffic, &findings)
        notifier.sent(traffic, excused: hadTrouble, &findings)
        requests.sent(traffic, &findings)
        guard story.isOneCall(callID) else { return }
        wishes.sent(traffic, &findings)
        transfers.sent(traffic, in: story.handle(of: callID), &findings)
    }

    mutating func arrived(_ traffic: Traffic) {
        if let response = traffic.response, !asked.isAnswered(by: response) {
            return acknowledgements.strayed(response)
        }
        form.arrived(traffic)
        numbers.arrived(traffic)
        repetitions.arrived(traffic)
        acknowledgements.arrived(traffic)
        finalResponses.arrived(traffic)
        story.arrived(traffic)
        media.arrived(traffic)
        cost.arrived(traffic)
        offers.arrived(traffic)
        sequences.arrived(traffic)
        notifier.arrived(traffic)
        requests.arrived(traffic)
    }

    mutating func commanded(_ command: Command) {
        story.commanded(command)
        media.commanded(command)
        wishes.commanded(command) { story.callID(of: $0) }
        subscriber.commanded(command)
        transfers.commanded(command)
        requests.commanded(command)
        if case .shutDown = command { finalResponses.isLeaving = true }
        if case .setPresence(let presence) = command { isOpen = presence.isOpen }
    }

    mutating func told(_ event: Event, at now: Instant, _ findings: inout Findings) {
        if case .ended(let handle, _) = event, let callID = story.callID(of: handle) {
            acknowledgements.ended(callID: callID, at: now)
        }
        if case .incomingCall(_, let call) = event { cost.began(callID: call.callID) }
        story.told(event, judgesCauses: !isDeceived, &findings)
        wishes.told(event) { story.callID(of: $0) }
        subscriber.told(event, at: now, &findings)
        var ofHonestPeers = Findings()
        transfers.told(event, &ofHonestPeers)
        requests.told(event, at: now, &ofHonestPeers)
        media.told(event, &ofHonestPeers)
        if !isDeceived { findings.add(ofHonestPeers) }
    }

    /// A message could not be sent, or a name not be resolved.
    mutating func noteTrouble() {
        hadTrouble = true
        cost.hadTrouble = true
        requests.noteTrouble()
        repetitions.excuse(all: true)
        offers.excuse()
    }

    func atRest(endedAt end: Instant, isOff: Bool, _ findings: inout Findings) {
        story.atRest(&findings)
        if !isOff {
            subscriber.atRest(&findings)
            requests.atRest(&findings)
        }
        guard !isDeceived else { return }
        if !isOff { transfers.atRest(&findings) }
        notifier.atRest(mayMiss: hadTrouble || isOff, &findings)
        repetitions.atRest(endedAt: end, &findings)
        acknowledgements.atRest(mayMiss: hadTrouble, &findings)
        finalResponses.atRest(endedAt: end, mayMiss: hadTrouble, &findings)
    }
}
