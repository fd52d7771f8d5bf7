import EngineKit
import MediaRuntime
import SDP
import SIPMessages
import SIPUserAgent

/// Everything that a phone does with its calls above the protocol: who rings, what is heard, what a script does next,
/// and how it all ends. A value like the engines under it: reports and the user's wishes go in, orders come out.
struct CallCoordinator: Sendable {
    enum Output: Sendable {
        case signalling(Command)
        case media(MediaOrder)
        case report(PhoneReport)
        /// Everything has ended; the process leaves with this status.
        case finished(ExitStatus)
    }

    /// What is the same for every call.
    struct Settings: Sendable {
        var codecs: [CodecKind]
        var ptime: Int
        /// Whether older Opus may go along with newer (RFC 2198).
        var redundancy: Bool
        /// The accounts' names, by their place in the configuration.
        var accountNames: [AccountID: String]
        var attendant: Attendant
        /// Without media for this long after the answer, a scripted call is told to have none.
        var mediaPatience = Duration.seconds(5)
        var statisticsInterval = Duration.seconds(5)

        init(
            codecs: [CodecKind], ptime: Int = 20, redundancy: Bool = true, accountNames: [AccountID: String],
            attendant: Attendant
        ) {
            self.codecs = codecs
            self.ptime = ptime
            self.redundancy = redundancy
            self.accountNames = accountNames
            self.attendant = attendant
        }
    }

    struct TimerKey: Hashable, Sendable {
        var call: CallHandle
        var timer: CallTimer
    }

    let settings: Settings
    var calls: [CallHandle: Call] = [:]
    /// By what each account is reached that was registered last.
    var bindings: [AccountID: RegistrationBinding] = [:]
    /// Handles in the order in which their calls began, so that what is told about them has one order.
    var order: [CallHandle] = []
    var timers = DeadlineQueue<TimerKey>()
    var outputs: [Output] = []
    var subscriptions = StandingSubscriptions()
    var subscriptionNames: [SubscriptionHandle: SubscriptionIdentity] = [:]
    var nextHandle: UInt32 = 1
    /// The refused call that has left a busy tone behind.
    var busyHandle: CallHandle?
    var callsBegun = 0
    /// Of those that the end of `offhook answer` waits for.
    var callsCounted = 0
    var ending: Ending?
    /// The worst that a call of this process came to.
    var result: ExitStatus?
    var failures: [String] = []
    /// What a command comes to that asks something other than a call and is ended before it has what it asked for.
    var unmet: Unmet?
    /// `offhook call`: the process ends with its call.
    var endsWithLastCall = false
    var conferencesBegun: UInt32 = 0
    /// The user agent is down, and only calls whose media still ends keep the process.
    var isProcessWaiting = false
    /// The verdict has been told.
    var isFinished = false

    struct Unmet: Equatable, Sendable {
        var exit: ExitStatus
        /// What was answered meanwhile, or what did not come; nil: nothing at all came back.
        var cause: String?
    }

    /// Why the process is on its way out.
    struct Ending: Equatable, Sendable {
        var exit: ExitStatus?
        var isShutDown = false

        /// Then nothing that still comes is what the command came to.
        var isBySignal: Bool {
            if case .signal? = exit { true } else { false }
        }
    }

    init(_ settings: Settings) {
        self.settings = settings
    }

    var deadline: Instant? { timers.deadline }

    mutating func nextOutput() -> Output? {
        outputs.isEmpty ? nil : outputs.removeFirst()
    }

    mutating func handleDeadline(at now: Instant) {
        while let due = timers.popDue(at: now) {
            handle(due.timer, of: due.call, at: now)
        }
    }

    // MARK: - What the user wants

    /// Places a call and gives its handle.
    @discardableResult
    mutating func dial(_ target: URI, account: AccountID?, script: CallScript?, at now: Instant) -> CallHandle {
        let handle = beginCall(.placing(target: target, account: account), script: script)
        if script == nil {
            let waiting = holdOthers(than: handle)
            calls[handle]?.letsWait = waiting
        }
        emit(.media(.open(handle)))
        return handle
    }

    /// Makes room for a call of ours, whose media is still to be opened.
    mutating func beginCall(_ opening: Call.Opening, script: CallScript?) -> CallHandle {
        let handle = CallHandle(rawValue: nextHandle)
        nextHandle += 1
        callsBegun += 1
        var peer = ""
        var account: AccountID?
        if case .placing(let target, let chosen) = opening { (peer, account) = (target.shownText, chosen) }
        let identity = CallIdentity(
            handle: handle, number: callsBegun, callID: nil, account: accountName(account), peer: peer)
        var call = Call(identity: identity, phase: .opening(opening), isIncoming: false, script: script)
        call.accountID = account
        calls[handle] = call
        order.append(handle)
        endBusyTone()
        return handle
    }

    mutating func answer(_ handle: CallHandle, at now: Instant) {
        guard var call = calls[handle], call.isUndecided else { return }
        timers.cancel(TimerKey(call: handle, timer: .answer))
        timers.cancel(TimerKey(call: handle, timer: .ringTimeout))
        // For early media the ports may be on their way.
        let isOpening = call.phase == .opening(.progressing)
        call.phase = .opening(.answering)
        let hasPorts = call.hasPorts
        calls[handle] = call
        setAlert(nil, of: handle)
        if hasPorts {
            sendAnswer(handle)
        } else if !isOpening {
            emit(.media(.open(handle)))
        }
    }

    mutating func reject(_ handle: CallHandle, status: StatusCode, reason: String? = nil) {
        guard let call = calls[handle], call.isUndecided else { return }
        emit(.signalling(.reject(handle, status, reason: reason, headers: call.script?.headers ?? Headers())))
    }

    mutating func hangUp(_ handle: CallHandle) {
        guard let call = calls[handle] else { return }
        if case .opening(.placing) = call.phase {
            finish(handle, CallEnd(cause: .cancelled, by: .local), at: nil)
        } else {
            emit(.signalling(.hangUp(handle)))
        }
    }

    mutating func hold(_ handle: CallHandle) {
        guard let call = calls[handle], call.isUp, !call.isHeldByUs else { return }
        calls[handle]?.isToBeHeld = true
        refreshMute(of: handle)
        emit(.signalling(.hold(handle)))
    }

    mutating func resume(_ handle: CallHandle) {
        guard let call = calls[handle], call.isUp, call.isHeldByUs else { return }
        holdOthers(than: handle)
        for member in conference(of: handle) where calls[member]?.isHeldByUs == true { takeBack(member) }
    }

    /// Has a call wait no longer, and for no other.
    mutating func takeBack(_ handle: CallHandle) {
        for other in order { calls[other]?.letsWait.removeAll { $0 == handle } }
        calls[handle]?.isToBeHeld = false
        refreshMute(of: handle)
        emit(.signalling(.resume(handle)))
    }

    /// A person who calls somebody, or turns back to a call or a conference, lets the others wait; whether they wait
    /// when another call is answered is the person's choice of key. Scripts talk to all of theirs.
    ///
    /// - Returns: those that it puts on hold.
    @discardableResult
    mutating func holdOthers(than handle: CallHandle) -> [CallHandle] {
        guard settings.attendant.plan == nil else { return [] }
        let spared = conference(of: handle)
        let talking = order.filter {
            !spared.contains($0) && calls[$0]?.isUp == true && calls[$0]?.isHeldByUs == false
        }
        for other in talking { hold(other) }
        return talking
    }

    /// A call that was never answered gives back what it took: whoever waits for it is talked to again, unless the
    /// person calls or talks to somebody else by now.
    mutating func resumeWaiting(for call: Call) {
        guard call.answeredAt == nil, ending == nil, !call.letsWait.isEmpty else { return }
        let others = order.filter { $0 != call.identity.handle && !call.letsWait.contains($0) }
        if let next = others.last(where: { calls[$0]?.isBeingPlaced == true }) {
            calls[next]?.letsWait += call.letsWait
        } else if !others.contains(where: { calls[$0]?.isUp == true && calls[$0]?.isHeldByUs == false }) {
            for handle in call.letsWait where calls[handle]?.isUp == true { takeBack(handle) }
        }
    }

    mutating func setMuted(_ handle: CallHandle, _ isMuted: Bool) {
        guard calls[handle] != nil else { return }
        calls[handle]?.isMuted = isMuted
        refreshMute(of: handle)
    }

    /// From the moment that a call is to wait its peer hears nothing, however long it takes to agree to that.
    mutating func refreshMute(of handle: CallHandle) {
        guard let call = calls[handle] else { return }
        emit(.media(.mute(handle, call.isMuted || call.isToBeHeld)))
    }

    mutating func sendDigits(_ handle: CallHandle, _ digits: String) {
        guard let call = calls[handle], call.isUp, !digits.isEmpty else { return }
        if call.sendsDigitsByInfo {
            emit(.signalling(.sendDigits(handle, digits.compactMap { SignalledStep($0) })))
        } else {
            emit(.media(.sendDigits(handle, digits)))
        }
        // Whoever presses a key wants to hear that it was taken; a script has no ears.
        if call.script == nil, let key = digits.last { emit(.media(.soundKey(key))) }
    }

    /// Ends every call and registration; `finished` follows with `exit`, or with what the calls came to.
    ///
    /// - Parameter cause: what the verdict says of an exit that is no success.
    mutating func end(_ exit: ExitStatus? = nil, because cause: String? = nil) {
        if let exit, exit != .success, let cause { failures.append(cause) }
        if ending == nil {
            ending = Ending(exit: exit)
        } else if let exit, ending?.isBySignal == false {
            ending?.exit = exit
        }
        endBusyTone()
        for handle in order {
            guard let call = calls[handle], case .opening(.placing) = call.phase else { continue }
            finish(handle, CallEnd(cause: .cancelled, by: .local), at: nil)
        }
        for handle in order where calls[handle]?.isConcluded == true { loseTransfer(handle) }
        guard ending?.isShutDown == false else { return }
        ending?.isShutDown = true
        emit(.signalling(.shutDown))
    }

    /// The time of the whole command is over.
    mutating func timeOut() {
        for handle in order where calls[handle]?.isIncoming == false && calls[handle]?.answeredAt == nil {
            failures.append("\(calls[handle]?.identity.shortName ?? ""): no answer within --timeout")
        }
        if let unmet { failures.append(unmet.cause ?? "nothing came back within --timeout") }
        end()
    }

    /// Whether somebody vouches for the peer: we called it, a person answered it, or it is known.
    func isPeerTrusted(_ handle: CallHandle) -> Bool {
        guard let call = calls[handle], call.isAnsweredAutomatically else { return true }
        return call.trust != .stranger
    }

    /// Whether digits of a call travel in the sound.
    func hasDigitsInSound(_ handle: CallHandle) -> Bool { calls[handle]?.script?.digitMode == .inband }

    // MARK: - Shared by the parts of the coordinator

    mutating func emit(_ output: Output) {
        outputs.append(output)
    }

    mutating func report(_ handle: CallHandle, _ occurrence: CallOccurrence) {
        guard let identity = calls[handle]?.identity else { return }
        emit(.report(.call(identity, occurrence)))
    }

    mutating func setTimer(_ timer: CallTimer, of handle: CallHandle, at instant: Instant?) {
        timers.set(TimerKey(call: handle, timer: timer), at: instant)
    }

    func accountName(_ account: AccountID?) -> String {
        guard let account else { return settings.accountNames.min { $0.key < $1.key }?.value ?? "" }
        return settings.accountNames[account] ?? ""
    }

    var localMedia: LocalMedia {
        LocalMedia(rtpPort: 9, codecs: settings.codecs, ptime: settings.ptime, redundancy: settings.redundancy)
    }

    /// The person has heard enough of a call that rings.
    mutating func silence(_ handle: CallHandle) {
        calls[handle]?.isSilenced = true
        setAlert(nil, of: handle)
    }

    /// Whoever waits for a person rings, or behind a call that is up only beeps.
    mutating func refreshAlerts() {
        guard case .person = settings.attendant else { return }
        let isBusy = calls.values.contains { $0.isUp }
        for handle in order {
            guard let call = calls[handle], call.isRinging, !call.isSilenced else { continue }
            setAlert(isBusy ? .callWaiting : .ringing, of: handle)
        }
    }

    /// Our tones for a call: one at a time, and told to the media engine only where it changes.
    mutating func setAlert(_ alert: AlertTone?, of handle: CallHandle) {
        guard let call = calls[handle], call.alert != alert else { return }
        if alert != nil { endBusyTone() }
        calls[handle]?.alert = alert
        emit(.media(.alert(handle, alert)))
    }

    /// A person whose call was refused as busy hears it for a moment: three times, or until there is something else to
    /// be heard.
    mutating func beginBusyTone(of handle: CallHandle, at now: Instant) {
        endBusyTone()
        busyHandle = handle
        emit(.media(.alert(handle, .busy)))
        setTimer(.busyTone, of: handle, at: now + .seconds(3))
    }

    mutating func endBusyTone() {
        guard let handle = busyHandle else { return }
        busyHandle = nil
        setTimer(.busyTone, of: handle, at: nil)
        emit(.media(.alert(handle, nil)))
    }
}
