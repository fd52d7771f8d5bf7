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
    var coordinator: CallCoordinator
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
    /// Whether the endpoint has said where it listens, or why it does not.
    private(set) var isListening = false
    /// When `--timeout` is over.
    var endsAt: Instant?

    private let commands: AsyncStream<Command>.Continuation
    private var begin: ((Phone) -> Void)?
    /// What the media of each call has got so far: ports, what it does beside speech, how many descriptions it followed.
    var ports: [CallHandle: MediaPorts] = [:]
    var plans: [CallHandle: MediaCallOptions] = [:]
    var running: [CallHandle: UInt32] = [:]
    var alerts: [CallHandle: AlertTone] = [:]
    /// The device that rings, where it is not the one that the peer is heard on.
    var ringer: MediaEngine?
    /// Nobody named a device, and the default one does not open: it is not spoken of again.
    private(set) var isSoundless = false

    init(_ settings: PhoneSettings, attendant: Attendant, traces: Bool) throws(StartFault) {
        self.settings = settings
        diagnostics = .onStandardError(settings.logLevel)
        try ProcessLimits.raiseDescriptors()
        ProcessLimits.renouncePrivileges()
        try ProcessLimits.requireThreads()
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
        configuration.nameServers = settings.nameServers
        configuration.impairment = settings.impairment
        configuration.onEvent = { inbox.post(.signalling($0)) }
        if traces { configuration.trace = { inbox.post(.message($0)) } }
        endpoint = SIPEndpoint(configuration)
        media = try Self.mediaEngine(settings, random: random.split())
        coordinator = CallCoordinator(
            CallCoordinator.Settings(
                codecs: settings.codecs, ptime: settings.packetTime, redundancy: settings.redundancy,
                accountNames: settings.accountNames,
                attendant: attendant))
        let (stream, continuation) = AsyncStream.makeStream(of: Command.self)
        commands = continuation
        start(stream)
    }

    private static func mediaEngine(_ settings: PhoneSettings, random: RandomSource) throws(StartFault) -> MediaEngine {
        do throws(AudioError) {
            return try MediaEngine(
                MediaEngine.Options(
                    input: settings.input, output: settings.output,
                    ports: settings.rtpPorts.low...settings.rtpPorts.high, random: random, probe: settings.probe,
                    impairment: settings.impairment, voice: settings.voiceProcessing))
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
        Task { for await notice in media.notices { inbox.post(.media(notice)) } }
    }

    /// Opens the audio devices. One that somebody named and that does not open is a fault; without a name the phone
    /// goes on without sound and says so.
    func startMedia() throws(StartFault) {
        do throws(AudioError) {
            try media.start()
        } catch {
            guard !settings.hasChosenAudio else { throw StartFault(error.exit, "\(error)") }
            isSoundless = true
            onReport(.warning("no sound: \(error); the phone goes on with audio 'null'"))
        }
        startRinger()
    }

    /// A ringing device that does not open is said, and the phone rings where the peer is heard.
    private func startRinger() {
        guard let ring = settings.ring, ring != settings.output else { return }
        var random = RandomSource.system()
        do throws(AudioError) {
            let engine = try MediaEngine(MediaEngine.Options(input: .null, output: ring, random: random.split()))
            try engine.start()
            ringer = engine
        } catch {
            onReport(.warning("no ringing on '\(ring)': \(error)"))
        }
    }

    /// Registers the accounts that do, and begins what is standing where they can be reached.
    func openAccounts(_ standing: StandingSubscriptions) {
        ask { coordinator, _ in coordinator.subscriptions = standing }
        whenListening { phone in
            for account in phone.settings.userAgent.accounts {
                guard account.registrar == nil else {
                    phone.perform(.register(account.id))
                    continue
                }
                phone.ask { coordinator, _ in coordinator.beginSubscriptions(of: account.id) }
            }
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
                isListening = true
                diagnostics.note(listening: addresses)
                onReport(.ready(addresses: addresses))
                // Who reads that may have kept us waiting until we were told to end: then nothing is begun any more.
                if !isEndDue { begin?(self) }
                begin = nil
            case .listening(.failure(let fault)): fail(fault)
            case .request(let request): onRequest(request)
            }
        }
        let now = SystemClock.now
        if let deadline = coordinator.deadline, deadline <= now { coordinator.handleDeadline(at: now) }
        settle()
    }

    private var isEndDue: Bool {
        coordinator.ending != nil || Signals.isEndWanted || SystemClock.now >= endsAt ?? .distantFuture
    }

    /// The phone can't begin.
    func fail(_ fault: StartFault) {
        onReport(.warning(fault.text))
        onReport(.verdict(failed: [fault.text], exit: fault.exit))
        exit = fault.exit
    }

    /// Asks something of the coordinator and carries out what follows.
    func ask(_ body: (inout CallCoordinator, Instant) -> Void) {
        body(&coordinator, SystemClock.now)
        settle()
    }

    func perform(_ command: Command) {
        commands.yield(command)
    }

    /// Lets everything go. Media ends at once; the endpoint has said its goodbyes before.
    func close() {
        commands.finish()
        media.shutDown()
        ringer?.shutDown()
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
