import EngineKit
import Glibc
import RTPMedia
import Synchronization

// The control thread: takes the media thread's reports, destroys what came back, and tells the app.
extension MediaEngine {
    /// Whether the media thread is real-time.
    func startThreads(input: WorkerInput, output: WorkerOutput) throws(SystemError) -> Bool {
        let (channel, probe) = (channel, options.probe)
        // Made here, so that what the system refuses is an error of the caller's.
        let place = WorkerPlace(
            try MediaWorker(channel: channel, input: input, output: output, probe: probe, voice: options.voice))
        try RealtimeThread.start("offhook-notices", priority: .normal) { self.control() }
        let priority: RealtimeThread.Priority = options.isRealtime ? .worker : .normal
        return try RealtimeThread.start("offhook-media", priority: priority) {
            place.runAndDestroy()
            channel.isEnded.store(true, ordering: .releasing)
            channel.toControl.signal()
        }
    }

    private func control() {
        var idleSince: Instant?
        while true {
            _ = channel.toControl.wait(milliseconds: idleSince == nil ? -1 : 500)
            while let report = channel.reports.popFirst() { handle(report) }
            while let report = channel.statistics.popFirst() {
                state.withLock { $0.calls[report.call]?.statistics = report.statistics }
            }
            if channel.isEnded.load(ordering: .acquiring) && channel.reports.count == 0 { break }
            let isIdle = state.withLock { $0.calls.isEmpty && $0.tones.isEmpty && $0.link != nil }
            let now = MonotonicClock.now
            idleSince = isIdle ? idleSince ?? now : nil
            if let since = idleSince, now - since >= Self.deviceLinger { closeDevices() }
        }
        ended.signal()
    }

    private func handle(_ report: WorkerReport) {
        switch report {
        case .media(let call, let event): notice(call, .media(event))
        case .playStarted(let call): notice(call, .playStarted)
        case .playFinished(let call):
            if let afterwards = state.withLock({ $0.calls[call]?.afterwards }) {
                notice(call, .playFinished(afterwards))
            }
        case .heard(let call, let sound): notice(call, .heard(sound))
        case .digitRefused(let call, let digit): notice(call, .digitRefused(digit))
        case .retired(let box): retire(box)
        case .inputEnded: notice(nil, .inputEnded)
        case .deviceOpened: notice(nil, .deviceOpened(devices?.description ?? ""))
        case .deviceLost(let isSilent): deviceWasLost(isSilent: isSilent)
        case .detached(let reference): reference.link.release()
        }
    }

    func notice(_ call: UInt32?, _ event: MediaNotice.Event) {
        continuation.yield(MediaNotice(call: call, event: event))
    }

    private func retire(_ box: CallBox) {
        let id = box.pointer.pointee.id
        let statistics = box.pointer.pointee.session.statistics
        box.pointer.pointee.recording?.close()
        box.destroy()
        _ = state.withLock { $0.calls.removeValue(forKey: id) }
        notice(id, .stopped(statistics))
    }

    // MARK: - Making a call

    func makeCall(
        id: UInt32, ports: MediaPorts, configuration: MediaConfiguration, options call: MediaCallOptions,
        random: RandomSource
    ) throws(MediaStartError) -> CallBox {
        let planned: MediaCall.Source?
        let recording: WrittenFile?
        do throws(AudioError) {
            planned = try source(of: call.play)
            recording = try record(id, to: call.recording)
        } catch {
            throw .audio(error)
        }
        do throws(MediaError) {
            let session = try MediaSession(configuration: configuration, random: random, at: MonotonicClock.now)
            return CallBox(
                MediaCall(
                    id: id, ports: ports, session: session, planned: planned, waitsForCue: call.waitsForCue,
                    afterwards: call.play?.afterwards ?? .silence, echoes: call.echoes || options.input == .echo,
                    recording: recording, listening: call.listening, impairment: options.impairment))
        } catch {
            recording?.close()
            throw .media(error)
        }
    }

    private func source(of play: PlaySpec?) throws(AudioError) -> MediaCall.Source? {
        guard let play else { return nil }
        switch play.source {
        case .alsa, .standardStreams: return .microphone
        case .null, .silence: return .silence
        case .tone(let hertz, let level): return .tone(SineSource(hertz: hertz, level: level))
        case .echo: return .echo
        case .file(let path):
            let file = try PlayedFile(path: path, loops: play.afterwards == .loop)
            files.add(file)
            return .file(file)
        }
    }

    private func record(_ id: UInt32, to spec: RecordSpec?) throws(AudioError) -> WrittenFile? {
        guard let spec else { return nil }
        let channels = spec.format == .stereo ? 2 : 1
        let file = try WrittenFile(path: spec.path, channels: channels) { [continuation] error in
            continuation.yield(MediaNotice(call: id, event: .recordingFailed(error)))
        }
        files.add(file)
        return file
    }
}

/// Carries the worker to its thread, which alone touches it from then on.
private final class WorkerPlace: @unchecked Sendable {
    private let worker: UnsafeMutablePointer<MediaWorker>

    init(_ worker: consuming MediaWorker) {
        self.worker = .allocate(capacity: 1)
        self.worker.initialize(to: worker)
    }

    func runAndDestroy() {
        worker.pointee.run()
        worker.deinitialize(count: 1)
    }

    deinit { worker.deallocate() }
}
