import CLinux
import EngineKit
import NIOCore
import SIPMessages
import SIPTransactions
import SIPUserAgent
import ServerLocation
import Synchronization

import struct EngineKit.SocketAddress
import enum SIPUserAgent.Event

/// A user agent on the network: gives `UserAgentCore` sockets, a clock and a resolver, and decides nothing itself.
///
/// The actor lives on the thread that reads its UDP sockets, so that what arrives there enters the core without a hop;
/// its connections live on an event loop of NIO. Every input is followed by draining the core's outputs, and one timer
/// serves all of its deadlines. Several endpoints may share a thread.
package actor SIPEndpoint {
    package struct Configuration: Sendable {
        package var userAgent: UserAgentConfiguration
        /// None: an endpoint that only calls, and can't be called.
        package var listen: [ListenAddress]
        package var random: RandomSource
        package var streamLimits = StreamLimits()
        /// Whom to ask for names; none: the name servers of the system.
        package var nameServers: [SocketAddress] = []
        /// A bad network for datagrams, on purpose.
        package var impairment: NetworkImpairment?
        /// Told of every message, on the thread of signalling.
        package var trace: (@Sendable (TracedMessage) -> Void)?
        /// Told what the user agent has to say, in order, on the thread of signalling, where it may perform
        /// commands at once (`assumeIsolated`). Not bounded here: the core bounds what strangers can cause.
        package var onEvent: @Sendable (Event) -> Void = { _ in }

        package init(
            userAgent: UserAgentConfiguration, listen: [ListenAddress] = ListenAddress.standard,
            random: RandomSource = .system(), trace: (@Sendable (TracedMessage) -> Void)? = nil
        ) {
            self.userAgent = userAgent
            self.listen = listen
            self.random = random
            self.trace = trace
        }
    }

    nonisolated let thread: SignallingThread
    let configuration: Configuration

    var core: UserAgentCore
    var datagramListeners: [DatagramListener] = []
    var streamListeners: [StreamListener] = []
    var connections: ConnectionTable
    var channels: [ConnectionID: any Channel] = [:]
    var framers: [ConnectionID: StreamFramer] = [:]
    /// Connections of peers that wait for this thread.
    nonisolated let adoptions = Atomic(0)
    /// Connections that end as what came over them can't be read.
    var unreadable: Set<ConnectionID> = []
    /// What waits for a connection that is being opened.
    var waiting: [ConnectionID: [Transmit]] = [:]
    var locator: ServerLocator
    var resolver: NameResolver?
    var networkWatch: NetworkWatch?
    var isShutDown = false
    /// While the datagrams of one read come in, what they are answered with waits for the last of them.
    var holdsDatagrams = false
    var badNetwork: BadNetwork?
    private var timer: ScheduledWork?
    private var timerInstant: Instant?
    private var deadlinesRestUntil = Instant.zero
    private var rush = Rush()

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// Deadlines that follow one another by less are met together, by a hundredth of T1 too late at most: of thousands of
    /// transactions that end in a second not each wakes the thread.
    private static let deadlineRest = Duration.milliseconds(5)

    package init(_ configuration: Configuration, on thread: SignallingThread = .shared) {
        self.configuration = configuration
        self.thread = thread
        var random = configuration.random
        locator = ServerLocator(
            reach: Reach(transports: [], hasIPv4: false, hasIPv6: false), random: random.split())
        core = UserAgentCore(configuration: configuration.userAgent, random: random)
        connections = ConnectionTable(limits: configuration.streamLimits)
        if let impairment = configuration.impairment, impairment.affectsSIP { badNetwork = BadNetwork(impairment) }
    }

    deinit {
        resolver?.stop()
        networkWatch?.stop()
    }

    /// Where it listens; the same port for UDP and TCP stands twice.
    package var listeners: [Listener] {
        datagramListeners.map { Listener(transport: .udp, address: $0.socket.address) }
            + streamListeners.map { Listener(transport: .tcp, address: $0.address) }
    }

    // MARK: - The user

    package func perform(_ command: Command) {
        core.perform(command, at: SystemClock.now)
        settle()
    }

    /// Looks at the core, for counters and tests.
    package func inspect<Result: Sendable>(_ body: @Sendable (borrowing UserAgentCore) -> Result) -> Result {
        body(core)
    }

    /// Closes every socket at once. To end calls and registrations first, perform `.shutDown` and
    /// wait for `.shutDownFinished`.
    package func shutDown() {
        // The last words.
        sendDelayedDatagrams()
        sendQueuedDatagrams()
        isShutDown = true
        cancelTimer()
        for listener in streamListeners { listener.channel.close(promise: nil) }
        for channel in channels.values { channel.close(promise: nil) }
        datagramListeners = []
        finishStreams()
        streamListeners = []
        channels = [:]
        framers = [:]
        waiting = [:]
        resolver?.stop()
        networkWatch?.stop()
    }

    // MARK: - The core

    /// Hands one input to the core and does what it asks for.
    func receive(_ input: Input) {
        guard !isShutDown else { return }
        core.receive(input, at: SystemClock.now)
        settle()
    }

    /// Does what the core asks for, then arms the timer.
    func settle() {
        drain()
        if holdsDatagrams { return }
        while sendQueuedDatagrams() {
            // What could not be sent may be tried by another way.
            drain()
        }
        armTimer()
    }

    private func drain() {
        while !isShutDown, let output = core.nextOutput() {
            switch output {
            case .transmit(let transmit): self.transmit(transmit)
            case .resolve(let id, let request): resolve(id, request)
            case .serverFailed(let destination, let duration):
                let server = ServerAddress(destination.transport, destination.remote)
                locator.noteFailure(of: server, for: duration, at: SystemClock.now)
            case .abandon(let connection): close(connection)
            case .event(let event):
                // Who hears of it may end the process: nothing may wait then.
                if case .shutDownFinished = event {
                    sendDelayedDatagrams()
                    sendQueuedDatagrams()
                    finishStreams()
                }
                configuration.onEvent(event)
            }
        }
    }

    private func armTimer() {
        var next = Self.deadline(&core, &locator)
        next.bringForward(to: connections.deadline)
        var instant: Instant?
        if let next { instant = max(next, deadlinesRestUntil) }
        // A timer that comes too early looks again: cheaper than one for each deadline that is met before its time.
        if let timerInstant, let instant, timerInstant <= instant { return }
        cancelTimer()
        timerInstant = instant
        guard let instant, !isShutDown else { return }
        timer = thread.schedule(at: instant) { [weak self] in
            self?.assumeIsolated { $0.deadlineReached() }
        }
    }

    private func cancelTimer() {
        if let timer { thread.cancel(timer) }
        timer = nil
    }

    /// By reference: a getter of a property of this actor is called on a copy of all that lies in it.
    @inline(never)
    private static func deadline(_ core: inout UserAgentCore, _ locator: inout ServerLocator) -> Instant? {
        var next = core.deadline
        next.bringForward(to: locator.deadline)
        return next
    }

    private func deadlineReached() {
        timer = nil
        timerInstant = nil
        let now = SystemClock.now
        deadlinesRestUntil = now + Self.deadlineRest
        while let id = connections.popDue(at: now) { close(id) }
        if let deadline = locator.deadline, deadline <= now {
            locator.handleDeadline(at: now)
            settleLocator()
        }
        if let deadline = core.deadline, deadline <= now { core.handleDeadline(at: now) }
        settle()
        if rush.isOver(holding: core.transactionCount) { cs_memory_give_back() }
    }

    func trace(_ direction: TracedMessage.Direction, _ bytes: [UInt8], _ flow: Flow) {
        // What keeps flows open is no message, and would fill the trace.
        guard let trace = configuration.trace, !Transmit(bytes: bytes, flow: flow).isKeepAlive else { return }
        trace(
            TracedMessage(
                direction: direction, bytes: bytes, flow: flow, instant: SystemClock.now,
                wallNanoseconds: SystemClock.wallNanoseconds))
    }
}
