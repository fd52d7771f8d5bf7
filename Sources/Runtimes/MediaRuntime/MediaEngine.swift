import AudioCodecs
import EngineKit
import Glibc
import RTPMedia
import Synchronization
import VoiceProcessing

/// The media of all calls of one phone: ports, devices, and the threads behind them. The face towards the app.
///
/// Every method may be called from any thread and returns at once, `start` and `shutDown` excepted. Two engines in one
/// process share nothing.
package final class MediaEngine: Sendable {
    package struct Options: Sendable {
        package var input: AudioSpec
        package var output: AudioSpec
        package var ports: ClosedRange<UInt16>
        /// Draws the ports, and each session's SSRC, first sequence number and timestamp.
        package var random: RandomSource
        package var probe: AudioProbe?
        /// A bad network, on purpose.
        package var impairment: NetworkImpairment?
        /// What is done to the sound of the microphone, where the input is a device.
        package var voice: VoiceFeatures
        /// Asks the system for real-time threads.
        package var isRealtime: Bool

        package init(
            input: AudioSpec, output: AudioSpec, ports: ClosedRange<UInt16> = RTPPortAllocator.standardRange,
            random: RandomSource, probe: AudioProbe? = nil, impairment: NetworkImpairment? = nil,
            voice: VoiceFeatures = [], isRealtime: Bool = true
        ) {
            self.input = input
            self.output = output
            self.ports = ports
            self.random = random
            self.probe = probe
            self.impairment = impairment.flatMap { $0.affectsRTP ? $0 : nil }
            self.voice = voice
            self.isRealtime = isRealtime
        }
    }

    /// More calls than this are refused by `startSession`.
    package static let callLimit = MediaWorker.callLimit

    /// What happens, in order, until `shutDown`. For one consumer.
    package let notices: AsyncStream<MediaNotice>

    /// What the engine knows of a call that the worker has.
    struct CallRecord {
        var statistics = MediaStatistics()
        /// What it was last told to send: also before the worker has told of it.
        var sendCodec: AudioCodec
        var afterwards: PlaySpec.Afterwards
        var recording: WrittenFile?
    }

    struct State {
        var random: RandomSource
        var calls: [UInt32: CallRecord] = [:]
        /// The tones without end that are on.
        var tones: Set<LocalTone> = []
        var link: DeviceLink?
        var isStarted = false
        var isShutDown = false
    }

    let options: Options
    let channel: WorkerChannel
    let files: FileThread
    let devices: DeviceNames?
    let state: Mutex<State>
    let continuation: AsyncStream<MediaNotice>.Continuation
    let ended: Wakeup
    private let allocator: RTPPortAllocator
    private let input: WorkerInput
    private let output: WorkerOutput

    /// Opens the files that `options` name. Devices are opened by `start`.
    package init(_ options: Options) throws(AudioError) {
        guard (options.input == .echo) == (options.output == .echo) else { throw .echoAlone }
        guard options.output.isOutput else { throw .notAnOutput(options.output) }
        var random = options.random
        let (notices, continuation) = AsyncStream.makeStream(
            of: MediaNotice.self, bufferingPolicy: .bufferingNewest(4096))
        (self.options, self.notices, self.continuation) = (options, notices, continuation)
        allocator = RTPPortAllocator(range: options.ports, random: random.split())
        state = Mutex(State(random: random))
        devices = DeviceNames(input: options.input, output: options.output)
        do throws(SystemError) {
            channel = try WorkerChannel()
            files = try FileThread()
            ended = try Wakeup()
        } catch {
            throw .system(error)
        }
        input = try Self.open(input: options.input)
        output = try Self.open(output: options.output) { continuation.yield(MediaNotice(event: .outputFailed($0))) }
    }

    private static func open(input: AudioSpec) throws(AudioError) -> WorkerInput {
        switch input {
        case .null, .silence, .echo: .silence
        case .tone(let hertz, let level): .tone(SineSource(hertz: hertz, level: level))
        case .file(let path): .file(try PlayedFile(path: path, loops: false))
        case .standardStreams: .standardInput(StandardInput())
        case .alsa: .device
        }
    }

    private static func open(
        output: AudioSpec, onFailure: @escaping @Sendable (AudioError) -> Void
    ) throws(AudioError) -> WorkerOutput {
        switch output {
        case .null, .silence, .tone, .echo: .nothing
        case .file(let path): .file(try WrittenFile(path: path, channels: 1, onFailure: onFailure))
        case .standardStreams: .standardOutput(StandardOutput(onFailure: onFailure))
        case .alsa: .device
        }
    }

    // MARK: - Life

    /// Starts the threads and tries the devices, for at most three seconds.
    ///
    /// - Throws: why a device can't be used. The engine then runs without, and the app may go on or shut it down.
    package func start() throws(AudioError) {
        let isRealtime: Bool
        do throws(SystemError) {
            try files.start()
            isRealtime = try startThreads(input: input, output: output)
        } catch {
            throw .system(error)
        }
        switch input {
        case .file(let file): files.add(file)
        case .standardInput(let stream): files.add(stream)
        default: break
        }
        switch output {
        case .file(let file): files.add(file)
        case .standardOutput(let stream): files.add(stream)
        default: break
        }
        state.withLock { $0.isStarted = true }
        if options.isRealtime && !isRealtime { continuation.yield(MediaNotice(event: .realtimeRefused)) }
        if devices != nil { try tryDevices() }
    }

    /// Ends all media, finishes the files and lets the devices go, for at most a second.
    package func shutDown() {
        let isRunning = state.withLock { state in
            defer { state.isShutDown = true }
            if state.isStarted && !state.isShutDown { send(.quit) }
            return state.isStarted && !state.isShutDown
        }
        guard isRunning else { return }
        if case .file(let file) = output { file.close() }
        _ = ended.wait(milliseconds: 500)
        files.stop(waiting: 500)
        continuation.finish()
    }

    // MARK: - Calls

    /// Binds a pair of ports on a local address. They are free again, after a rest, when the last reference is gone.
    package func bindPorts(address: IPAddress) throws(SystemError) -> MediaPorts {
        try allocator.allocate(address: address, at: MonotonicClock.now)
    }

    /// Starts the media of a call. What it plays and records is opened before, and fails here.
    package func startSession(
        id: UInt32, ports: MediaPorts, configuration: MediaConfiguration, options call: MediaCallOptions = .init()
    ) throws(MediaStartError) {
        let random = try reserve(id, sends: configuration.sendCodec, afterwards: call.play?.afterwards ?? .silence)
        do throws(MediaStartError) {
            let box = try makeCall(id: id, ports: ports, configuration: configuration, options: call, random: random)
            let isTaken = state.withLock { state in
                // The call may have been stopped meanwhile.
                guard state.calls[id] != nil, !state.isShutDown else { return false }
                state.calls[id]?.recording = box.pointer.pointee.recording
                send(.add(box))
                return true
            }
            if !isTaken { box.destroy() }
        } catch {
            _ = state.withLock { $0.calls.removeValue(forKey: id) }
            throw error
        }
        needDevices()
    }

    private func reserve(
        _ id: UInt32, sends codec: AudioCodec, afterwards: PlaySpec.Afterwards
    ) throws(MediaStartError) -> RandomSource {
        try state.withLock { state throws(MediaStartError) in
            guard state.isStarted, !state.isShutDown else { throw .notRunning }
            guard state.calls[id] == nil else { throw .duplicate(id) }
            guard state.calls.count < Self.callLimit else { throw .tooManyCalls }
            state.calls[id] = CallRecord(sendCodec: codec, afterwards: afterwards)
            return state.random.split()
        }
    }

    /// Takes over what a re-INVITE, an answer or a proven path changed.
    package func update(_ id: UInt32, configuration: MediaConfiguration) {
        state.withLock { $0.calls[id]?.sendCodec = configuration.sendCodec }
        perform(id, .update(call: id, configuration))
    }

    /// Ends the media of a call. `MediaNotice.Event.stopped` follows with the last statistics.
    package func stop(_ id: UInt32) {
        perform(id, .stop(call: id))
    }

    /// Gives a call that waits for it the cue to play.
    package func beginPlaying(_ id: UInt32) {
        perform(id, .beginPlaying(call: id))
    }

    package func setMuted(_ id: UInt32, _ isMuted: Bool) {
        perform(id, .mute(call: id, isMuted))
    }

    /// Puts a call into a conference, whose calls hear each other; nil takes it out.
    package func setConference(_ id: UInt32, _ conference: UInt32?) {
        perform(id, .conference(call: id, conference))
    }

    /// Sends digits one after the other, with the pauses that the text names.
    package func sendDigits(_ id: UInt32, _ text: String) throws(DigitError) {
        for step in try DigitStep.parse(text) { perform(id, .digit(call: id, step)) }
    }

    /// The call's statistics, at most 100 ms old; nil where no such call is.
    package func statistics(_ id: UInt32) -> MediaStatistics? {
        state.withLock { state -> MediaStatistics? in
            guard let record = state.calls[id] else { return nil }
            var statistics = record.statistics
            statistics.sendCodec = record.sendCodec
            return statistics
        }
    }

    private func perform(_ id: UInt32, _ command: WorkerCommand) {
        state.withLock { state in
            if state.calls[id] != nil && !state.isShutDown { send(command) }
        }
    }

    /// Hands a command to the media thread. Only under the lock, which makes for one producer at a time.
    func send(_ command: WorkerCommand) {
        // The ring holds more commands than people can give; a media thread that takes none for this long is no more.
        for _ in 0..<1000 {
            if channel.commands.append(command) { break }
            usleep(1000)
        }
        channel.toWorker.signal()
    }
}

/// Why a call's media can't start.
package enum MediaStartError: Error, Equatable, CustomStringConvertible {
    case audio(AudioError)
    case media(MediaError)
    case duplicate(UInt32)
    case tooManyCalls
    case notRunning

    package var description: String {
        switch self {
        case .audio(let error): "\(error)"
        case .media(let error): "media: \(error)"
        case .duplicate(let id): "media: call \(id) has started already"
        case .tooManyCalls: "media: \(MediaEngine.callLimit) calls are up already"
        case .notRunning: "media: the engine is not running"
        }
    }
}
