import CLinux
import EngineKit
import Glibc
import RTPMedia
import VoiceProcessing

/// The media thread: RTP sockets, codecs and mixing of every call, on one epoll.
///
///     device ring --> capture --> MediaSession --> sendto         recvmmsg --> MediaSession --> playout --> device ring
///
/// After its start it allocates, locks, blocks and frees nothing: calls come and go as boxes through two rings, and
/// no ALSA function is called here. Each direction has one clock, its device's; where there is none, or while it
/// stalls, the system's clock in its stead.
struct MediaWorker: ~Copyable {
    /// The slots of `calls`.
    static let callLimit = 16
    static let datagramSize = 2048
    static let datagramBatch = 32

    /// Tokens of the epoll; two a call follow `firstCall`.
    enum Token {
        static let wakeup: UInt64 = 0
        static let timer: UInt64 = 1
        static let device: UInt64 = 2
        static let firstCall: UInt64 = 16
    }

    let channel: WorkerChannel
    let epoll: CInt
    let timer: CInt
    /// Close the two.
    private let owners: (Descriptor, Descriptor)
    let batch: OpaquePointer
    let ready: UnsafeMutableBufferPointer<cs_ready>

    var calls = InlineArray<16, CallBox?>(repeating: nil)
    var callCount = 0
    var isQuitting = false

    // Audio
    var input: WorkerInput
    let output: WorkerOutput
    let probe: AudioProbe?
    var link: DeviceLink?
    var isDeviceRunning = false
    var attachedAt = Instant.zero
    var captureClock = StreamClock()
    var playoutClock = StreamClock()
    /// Periods made for the device since it opened, and the last count that it asked for.
    var periodsProvided = 0
    var demandSeen = 0
    let microphone: UnsafeMutableBufferPointer<Int16>
    let scratch: UnsafeMutableBufferPointer<Int16>
    /// What one call of a conference is sent of the others.
    let others: UnsafeMutableBufferPointer<Int16>
    /// Cleans what the device's microphone gives.
    var voice: VoiceProcessor?
    var mixer = Mixer(capacity: AudioPeriod.samples)
    /// By `LocalTone`.
    var tones = InlineArray<5, ToneGenerator?>(repeating: nil)

    private var armedFor: Int64 = 0

    init(
        channel: WorkerChannel, input: WorkerInput, output: WorkerOutput, probe: AudioProbe?, voice: VoiceFeatures
    ) throws(SystemError) {
        do throws(VoiceProcessor.NoMemory) {
            self.voice = if case .device = input, !voice.isEmpty { try VoiceProcessor(voice) } else { nil }
        } catch {
            throw SystemError(code: ENOMEM, operation: "process the voice")
        }
        let epoll = Descriptor(try SystemError.check(cs_epoll_create(), "make an epoll"))
        let timer = Descriptor(try SystemError.check(cs_timer_create(), "make a timerfd"))
        _ = try SystemError.check(
            cs_epoll_add(epoll.number, channel.toWorker.descriptor, Token.wakeup), "watch an eventfd")
        _ = try SystemError.check(cs_epoll_add(epoll.number, timer.number, Token.timer), "watch a timerfd")
        guard let batch = cs_datagram_batch_create(CInt(Self.datagramBatch), CInt(Self.datagramSize)) else {
            throw SystemError(code: ENOMEM, operation: "make buffers for datagrams")
        }
        (self.epoll, self.timer, owners) = (epoll.number, timer.number, (epoll, timer))
        self.channel = channel
        self.input = input
        self.output = output
        self.probe = probe
        self.batch = batch
        ready = .allocate(capacity: 64)
        ready.initialize(repeating: cs_ready())
        microphone = .allocate(capacity: AudioPeriod.samples)
        microphone.initialize(repeating: 0)
        scratch = .allocate(capacity: AudioPeriod.samples)
        scratch.initialize(repeating: 0)
        others = .allocate(capacity: AudioPeriod.samples)
        others.initialize(repeating: 0)
    }

    deinit {
        cs_datagram_batch_destroy(batch)
        ready.deallocate()
        microphone.deallocate()
        scratch.deallocate()
        others.deallocate()
    }

    /// The thread's body: returns after `WorkerCommand.quit`.
    mutating func run() {
        while !isQuitting {
            arm(for: nextDue)
            let count = Int(cs_epoll_wait(epoll, ready.baseAddress, CInt(ready.count), -1))
            for index in 0..<max(0, count) { handle(ready[index]) }
            let now = MonotonicClock.now
            runAudio(at: now)
            for slot in calls.indices { serveCall(slot, at: now) }
        }
    }

    private mutating func handle(_ event: cs_ready) {
        switch event.token {
        case Token.wakeup:
            channel.toWorker.drain()
            performCommands(at: MonotonicClock.now)
        case Token.timer:
            _ = cs_timer_drain(timer)
            armedFor = 0
        case Token.device:
            link?.toWorker.drain()
        default:
            let place = Int(truncatingIfNeeded: event.token &- Token.firstCall)
            guard calls.indices.contains(place / 2), let box = calls[place / 2] else { return }
            receive(box.pointer, isRTCP: place % 2 == 1, at: MonotonicClock.now)
        }
    }

    /// Tells the control thread; false where its ring is full, as it is stuck.
    @discardableResult
    func report(_ report: WorkerReport) -> Bool {
        guard channel.reports.append(report) else { return false }
        channel.toControl.signal()
        return true
    }

    /// Whether anybody is to be heard or spoken to.
    var isActive: Bool {
        if callCount > 0 { return true }
        for index in tones.indices where tones[index] != nil { return true }
        return false
    }

    // MARK: - Time

    private var nextDue: Instant {
        var due = Instant.distantFuture
        if let capture = captureClock.due { due = min(due, capture) }
        if let playout = playoutClock.due { due = min(due, playout) }
        for slot in calls.indices {
            guard let call = calls[slot]?.pointer else { continue }
            if let deadline = call.pointee.session.deadline { due = min(due, deadline) }
            if let network = call.pointee.network { due = min(due, network.pointee.due) }
        }
        return due
    }

    private mutating func arm(for due: Instant) {
        // A timer in the past fires at once; 0 would disarm it.
        let at = due == .distantFuture ? 0 : max(1, due.nanoseconds)
        guard at != armedFor else { return }
        _ = cs_timer_arm(timer, at)
        armedFor = at
    }
}
