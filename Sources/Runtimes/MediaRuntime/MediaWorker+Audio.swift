import EngineKit
import RTPMedia
import Synchronization

/// Where the worker's microphone samples come from while no device gives them.
enum WorkerInput {
    case silence
    case tone(SineSource)
    case file(PlayedFile)
    case standardInput(StandardInput)
    case device
}

/// Where the mixed audio goes.
enum WorkerOutput {
    case nothing
    case file(WrittenFile)
    case standardOutput(StandardOutput)
    case device
}

/// When the next period of one direction is due.
struct StreamClock {
    /// Nil: nothing runs. With a device: when its stall is bridged.
    var due: Instant?
    var lastProgress = Instant.zero
    /// When a period was last sent or played.
    var lastPeriod = Instant.zero
    /// Periods that were made up for a device that was late, and that it may still bring.
    var owed = 0
}

extension MediaWorker {
    /// A worker that was held up longer than this does not make up for all of it.
    private static let catchUp = Duration.milliseconds(200)

    mutating func runAudio(at now: Instant) {
        guard isActive else {
            captureClock.due = nil
            playoutClock.due = nil
            return
        }
        if captureClock.due == nil { captureClock = StreamClock(due: now + AudioPeriod.duration, lastProgress: now) }
        if playoutClock.due == nil { playoutClock = StreamClock(due: now + AudioPeriod.duration, lastProgress: now) }
        watchDevice(at: now)
        // Playout before capture: what is echoed then goes back at once.
        if drivesPlayout { serveDemand(at: now) } else { runPlayoutClock(at: now) }
        if drivesCapture { serveCaptured(at: now) } else { runCaptureClock(at: now) }
    }

    private mutating func runPlayoutClock(at now: Instant) {
        playoutClock.lastProgress = now
        while var due = playoutClock.due, due <= now {
            if now - due > Self.catchUp { due = now }
            playPeriod(at: due, heardAt: due)
            playoutClock.due = due + AudioPeriod.duration
        }
    }

    private mutating func runCaptureClock(at now: Instant) {
        (captureClock.lastProgress, captureClock.owed) = (now, 0)
        while var due = captureClock.due, due <= now {
            if now - due > Self.catchUp { due = now }
            fillMicrophone()
            capturePeriod(at: due, spokenAt: due - AudioPeriod.duration)
            captureClock.due = due + AudioPeriod.duration
        }
    }

    private mutating func fillMicrophone() {
        switch input {
        case .silence, .device: microphone.update(repeating: 0)
        case .tone(var sine):
            sine.fill(microphone)
            input = .tone(sine)
        case .file(let file): read(file.samples, isEnded: file.isEnded.load(ordering: .acquiring))
        case .standardInput(let stream): read(stream.samples, isEnded: stream.isEnded.load(ordering: .acquiring))
        }
    }

    private mutating func read(_ samples: SampleRing, isEnded: Bool) {
        let count = samples.read(into: microphone)
        microphone[count...].update(repeating: 0)
        if count == 0 && isEnded {
            // The stream itself is kept by the engine: this is not its last reference.
            input = .silence
            report(.inputEnded)
        }
    }

    // MARK: - One period

    /// Sends the microphone's period on every call.
    mutating func capturePeriod(at now: Instant, spokenAt: Instant) {
        if let probe { probe.speak(into: microphone, at: spokenAt, takenAt: now) }
        for slot in calls.indices { calls[slot]?.pointer.pointee.takeSaid() }
        for slot in calls.indices {
            guard let call = calls[slot]?.pointer else { continue }
            let progress = call.pointee.capture(microphone, others: mixOthers(for: call), scratch: scratch, at: now)
            // At once: a worker that makes up for lost time captures more than the session keeps.
            send(call)
            switch progress {
            case .none: break
            case .started: report(.playStarted(call: call.pointee.id))
            case .finished: report(.playFinished(call: call.pointee.id))
            }
        }
    }

    /// What the others of a call's conference said, mixed; nil where it is in none.
    private mutating func mixOthers(
        for call: UnsafeMutablePointer<MediaCall>
    ) -> UnsafeMutableBufferPointer<Int16>? {
        guard let conference = call.pointee.conference else { return nil }
        mixer.begin(count: others.count)
        for slot in calls.indices {
            guard let other = calls[slot]?.pointer, other != call, other.pointee.conference == conference
            else { continue }
            mixer.add(UnsafeBufferPointer(other.pointee.said).span)
        }
        var span = others.mutableSpan
        mixer.write(into: &span)
        return others
    }

    /// Leaves in `scratch` what is to be heard: all calls and tones, mixed.
    mutating func mixPeriod(at now: Instant, heardAt: Instant) {
        mixer.begin(count: scratch.count)
        for slot in calls.indices {
            guard let call = calls[slot]?.pointer else { continue }
            call.pointee.playout(into: scratch, at: now)
            mixer.add(UnsafeBufferPointer(scratch).span)
            if call.pointee.periodsPlayed % 10 == 0 { reportStatistics(call) }
            if let heard = call.pointee.nextHeard() { report(.heard(call: call.pointee.id, heard)) }
        }
        for index in tones.indices where tones[index] != nil {
            var span = scratch.mutableSpan
            tones[index]?.fill(&span)
            mixer.add(UnsafeBufferPointer(scratch).span)
            if tones[index]?.isFinished == true { tones[index] = nil }
        }
        var span = scratch.mutableSpan
        mixer.write(into: &span)
        if let probe { probe.hear(scratch, at: heardAt, madeAt: now) }
    }

    private mutating func playPeriod(at now: Instant, heardAt: Instant) {
        mixPeriod(at: now, heardAt: heardAt)
        switch output {
        case .nothing, .device: break
        case .file(let file):
            if file.samples.space >= scratch.count { file.samples.write(UnsafeBufferPointer(scratch)) }
        case .standardOutput(let stream): stream.samples.write(UnsafeBufferPointer(scratch))
        }
    }

    private func reportStatistics(_ call: UnsafeMutablePointer<MediaCall>) {
        let report = StatisticsReport(call: call.pointee.id, statistics: call.pointee.session.statistics)
        if channel.statistics.append(report) { channel.toControl.signal() }
    }
}
