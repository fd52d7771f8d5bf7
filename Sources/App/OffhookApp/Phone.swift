import EngineKit
import Glibc
import MediaRuntime
import RTPMedia
import SDP
import SIPMessages
import SIPRuntime
import SIPTransactions
import SIPUserAgent
import TerminalRuntime

/// A phone at work: the coordinator between a signalling endpoint and a media engine, driven by one loop on the main
/// thread. Other threads reach it through its inbox.
final class Phone {
    let settings: PhoneSettings
    let inbox: Inbox
    let endpoint: SIPEndpoint
    let media: MediaEngine
    private(set) var coordinator: CallCoordinator
    /// Told of every report, in order.
    var onReport: (PhoneReport) -> Void = { _ in }
    /// Told of every event of the user agent before the coordinator is.
    var onEvent: (UserAgentEvent) -> Void = { _ in }
    var onMessage: (TracedMessage) -> Void = { _ in }
    var onRequest: (PhoneRequest) -> Void = { _ in }
    /// Called this often while calls are up, to refresh what is shown of them.
    var onRefresh: (() -> Void)?
    var diagnostics: Diagnostics
    var wasSignalled = false
    /// Set when everything has ended.
    private(set) var exit: ExitStatus?

    private let commands: AsyncStream<Command>.Continuation
    private var begin: ((Phone) -> Void)?
    private var ports: [CallHandle: MediaPorts] = [:]
    private var plans: [CallHandle: MediaCallOptions] = [:]
    private var running: [CallHandle: UInt32] = [:]
    private var alerts: [CallHandle: AlertTone] = [:]

    init(_ settings: PhoneSettings, answering: AnsweringPlan? = nil, traces: Bool) throws(StartFault) {
        self.settings = settings
        diagnostics = .onStandardError(settings.logLevel)
        try ProcessLimits.raiseDescriptors()
        if settings.userAgent.accounts.contains(where: { $0.credentials != nil }) { ProcessLimits.forbidCoreDumps() }
        var random = settings.seed.map { RandomSource(seed: $0) } ?? .system()
        do throws(SystemError) {
            inbox = try Inbox()
        } catch {
            throw StartFault(.internalError, "\(error)")
        }
        let inbox = inbox
        var configuration = SIPEndpoint.Configuration(
            userAgent: settings.userAgent, listen: settings.listen, random: random.split())
        if traces { configuration.trace = { inbox.post(.message($0)) } }
        endpoint = SIPEndpoint(configuration)
        media = try Self.mediaEngine(settings, random: random.split())
        coordinator = CallCoordinator(
            CallCoordinator.Settings(
                codecs: settings.codecs, accountNames: settings.accountNames, answering: answering))
        let (stream, continuation) = AsyncStream.makeStream(of: Command.self)
        commands = continuation
        start(stream)
    }

    private static func mediaEngine(_ settings: PhoneSettings, random: RandomSource) throws(StartFault) -> MediaEngine {
        do throws(AudioError) {
            return try MediaEngine(
                MediaEngine.Options(
                    input: settings.input, output: settings.output,
                    ports: settings.rtpPorts.low...settings.rtpPorts.high, random: random, probe: settings.probe))
        } catch {
            throw StartFault(error.exit, "\(error)")
        }
    }

    /// The tasks that carry what the runtimes say to the inbox, and commands to the endpoint in their order.
    private func start(_ stream: AsyncStream<Command>) {
        let (endpoint, media, inbox) = (endpoint, media, inbox)
        Task {
            do {
                try await endpoint.start()
                inbox.post(.listening(.success(await endpoint.listeners)))
            } catch {
                inbox.post(.listening(.failure(StartFault(.network, "\(error)"))))
            }
            for await command in stream { await endpoint.perform(command) }
        }
        Task { for await event in endpoint.events { inbox.post(.signalling(event)) } }
        Task { for await notice in media.notices { inbox.post(.media(notice)) } }
    }

    /// Opens the audio devices. One that somebody named and that does not open is a fault; without a name the phone
    /// goes on without sound and says so.
    func startMedia() throws(StartFault) {
        do throws(AudioError) {
            try media.start()
        } catch {
            guard !settings.hasChosenAudio else { throw StartFault(error.exit, "\(error)") }
            onReport(.warning("no sound: \(error); the phone goes on with audio 'null'"))
        }
    }

    /// What to do once requests can be sent and received.
    func whenListening(_ begin: @escaping (Phone) -> Void) {
        self.begin = begin
    }

    // MARK: - One step

    /// Takes what came in, lets the coordinator decide, and carries it out.
    func step() {
        for notice in inbox.take() {
            switch notice {
            case .signalling(let event):
                diagnostics.note(event, at: SystemClock.now)
                onEvent(event)
                coordinator.receive(event, at: SystemClock.now)
            case .media(let notice):
                diagnostics.note(notice)
                receive(notice)
            case .message(let message): onMessage(message)
            case .listening(.success(let addresses)):
                diagnostics.note(listening: addresses)
                onReport(.ready(addresses: addresses))
                begin?(self)
                begin = nil
            case .listening(.failure(let fault)):
                onReport(.warning(fault.text))
                exit = fault.exit
            case .request(let request): onRequest(request)
            }
        }
        let now = SystemClock.now
        if let deadline = coordinator.deadline, deadline <= now { coordinator.handleDeadline(at: now) }
        settle()
    }

    /// Asks something of the coordinator and carries out what follows.
    func ask(_ body: (inout CallCoordinator, Instant) -> Void) {
        body(&coordinator, SystemClock.now)
        settle()
    }

    func perform(_ command: Command) {
        commands.yield(command)
    }

    /// Ends the loop at once, with calls still up.
    func leave(with status: ExitStatus) {
        exit = status
    }

    /// Lets everything go. Media ends at once; the endpoint has said its goodbyes before.
    func close() {
        commands.finish()
        media.shutDown()
    }

    private func settle() {
        while let output = coordinator.nextOutput() {
            switch output {
            case .signalling(let command): perform(command)
            case .media(let order): carryOut(order)
            case .report(let report): onReport(report)
            case .finished(let status): exit = status
            }
        }
    }
}

// MARK: - Media

extension Phone {
    private func carryOut(_ order: MediaOrder) {
        switch order {
        case .open(let handle): open(handle)
        case .start(let handle, let plan): plans[handle] = plan
        case .update(let handle, let agreement, let alternates): update(handle, agreement, alternates)
        case .close(let handle): close(handle)
        case .play(let handle): media.beginPlaying(handle.rawValue)
        case .sendDigits(let handle, let digits):
            // Checked where it came in.
            try? media.sendDigits(handle.rawValue, digits)
        case .soundKey(let key):
            if let digit = DTMFDigit(key) { media.soundKey(digit) }
        case .mute(let handle, let isMuted): media.setMuted(handle.rawValue, isMuted)
        case .reportStatistics(let handle):
            guard let statistics = media.statistics(handle.rawValue) else { return }
            tell(.statistics(statistics), of: handle)
        case .alert(let handle, let tone): setAlert(tone, of: handle)
        }
    }

    /// One tone of each kind is heard, however many calls make it.
    private func setAlert(_ tone: AlertTone?, of handle: CallHandle) {
        let before = Set(alerts.values)
        alerts[handle] = tone
        let after = Set(alerts.values)
        for tone in before.subtracting(after) { media.stopTone(tone.localTone) }
        for tone in after.subtracting(before) { media.startTone(tone.localTone) }
    }

    private func tell(_ report: MediaReport, of handle: CallHandle) {
        coordinator.receive(report, of: handle, at: SystemClock.now)
    }

    private func open(_ handle: CallHandle) {
        do {
            let pair = try media.bindPorts(address: settings.mediaAddress)
            ports[handle] = pair
            tell(.opened(rtpPort: pair.rtp.port, rtcpPort: pair.rtcp.port), of: handle)
        } catch {
            tell(.openFailed("no RTP ports: \(error)"), of: handle)
        }
    }

    private func update(_ handle: CallHandle, _ agreement: MediaAgreement, _ alternates: AlternateSources) {
        let number = running[handle].map { $0 &+ 1 } ?? 0
        let isTrusted = coordinator.isPeerTrusted(handle)
        guard
            var configuration = MediaConfiguration(
                agreement, descriptionNumber: number, isPeerTrusted: isTrusted)
        else { return }
        configuration.alternates = alternates
        if let target = settings.jitterTarget { configuration.jitterTarget = target }
        if running[handle] != nil {
            running[handle] = number
            return media.update(handle.rawValue, configuration: configuration)
        }
        guard let pair = ports[handle] else { return }
        do {
            try media.startSession(
                id: handle.rawValue, ports: pair, configuration: configuration,
                options: plans[handle] ?? MediaCallOptions())
            running[handle] = number
        } catch {
            if case .audio = error {
                tell(.playFailed("\(error)"), of: handle)
            } else {
                tell(.startFailed("\(error)"), of: handle)
            }
        }
    }

    private func close(_ handle: CallHandle) {
        let statistics = running[handle] == nil ? nil : media.statistics(handle.rawValue)
        if running[handle] != nil { media.stop(handle.rawValue) }
        running[handle] = nil
        ports[handle] = nil
        plans[handle] = nil
        tell(.closed(statistics), of: handle)
    }

    private func receive(_ notice: MediaNotice) {
        guard let id = notice.call else { return receive(notice.event) }
        let handle = CallHandle(rawValue: id)
        switch notice.event {
        case .media(let event): receive(event, of: handle)
        case .toneHeard(let level): tell(.tone(level: level), of: handle)
        case .playFinished(let afterwards): tell(.playFinished(afterwards), of: handle)
        case .recordingFailed(let error): tell(.recordFailed("\(error)"), of: handle)
        case .digitRefused(let digit):
            onReport(.warning("digit \(digit.character) was not sent: the peer takes none, or too many wait"))
        case .playStarted, .stopped, .deviceOpened, .deviceLost, .inputEnded, .outputFailed, .realtimeRefused: break
        }
    }

    private func receive(_ event: MediaEvent, of handle: CallHandle) {
        switch event {
        case .firstPacketPlayed: tell(.heard, of: handle)
        case .sourceChanged(let source): tell(.sourceChanged(source), of: handle)
        case .digitEnded(let digit, let milliseconds):
            tell(.digit(digit.character, milliseconds: milliseconds), of: handle)
        case .digitSent(let digit, let milliseconds):
            tell(.digitSent(digit.character, milliseconds: milliseconds), of: handle)
        case .silenceBegan: tell(.silent(seconds: 5), of: handle)
        case .silenceExceeded: tell(.silent(seconds: 30), of: handle)
        case .digitBegan, .synchronizationSourceChanged, .collisionResolved, .remoteBye,
            .silenceEnded,
            .sendingPaused, .sendingResumed:
            break
        }
    }

    /// What the engine says of itself and its devices.
    private func receive(_ event: MediaNotice.Event) {
        switch event {
        case .deviceOpened(let name): onReport(.audioDevice(name: name, state: "open", detail: ""))
        case .deviceLost(let error): onReport(.audioDevice(name: "audio", state: "lost", detail: "\(error)"))
        case .inputEnded: onReport(.audioDevice(name: "input", state: "ended", detail: "silence is sent from here on"))
        case .outputFailed(let error): onReport(.audioDevice(name: "output", state: "failed", detail: "\(error)"))
        case .realtimeRefused:
            onReport(.warning("the system refused real-time scheduling; a busy machine may be heard"))
        default: break
        }
    }
}

extension AudioError {
    /// Whose fault it is: the file's, the command line's or the device's.
    var exit: ExitStatus {
        switch self {
        case .file: .badInput
        case .notAnOutput, .echoAlone: .usage
        case .system: .internalError
        case .missing, .busy, .refused, .blocked, .vanished: .audioDevice
        }
    }
}

extension AlertTone {
    fileprivate var localTone: LocalTone {
        switch self {
        case .ringing: .ringing
        case .ringback: .ringback
        case .callWaiting: .callWaiting
        }
    }
}
