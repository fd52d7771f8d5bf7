import EngineKit
import Synchronization

/// A test signal in place of the microphone, and an ear at the loudspeaker, both with the time of every period on the
/// monotonic clock: what went in at one phone and when can be found in what came out at another.
///
/// Works over any device, whose clock stays in charge. The media thread writes below the published counts, everybody
/// else reads below them; the buffers are made whole at the start and never move.
package final class AudioProbe: @unchecked Sendable {
    private struct Track {
        let samples: UnsafeMutableBufferPointer<Int16>
        /// When the first sample of each period passed the microphone or the loudspeaker, in nanoseconds.
        let times: UnsafeMutableBufferPointer<Int64>

        init(samples count: Int) {
            let periods = (count + AudioPeriod.samples - 1) / AudioPeriod.samples
            samples = .allocate(capacity: periods * AudioPeriod.samples)
            samples.initialize(repeating: 0)
            times = .allocate(capacity: periods)
            times.initialize(repeating: 0)
        }

        func deallocate() {
            samples.deallocate()
            times.deallocate()
        }

        func instant(of sample: Int, of count: Int) -> Instant? {
            guard (0..<count).contains(sample) else { return nil }
            let (period, offset) = sample.quotientAndRemainder(dividingBy: AudioPeriod.samples)
            return Instant(nanoseconds: times[period]) + .nanoseconds(Int64(offset) * 1_000_000_000 / 48_000)
        }
    }

    private let signal: Track
    private let signalCount: Int
    private let ear: Track
    private let isRunning = Atomic<Bool>(false)
    private let spokenCount = Atomic<Int>(0)
    private let heardCount = Atomic<Int>(0)
    /// The packets that the phone sent and got.
    package let departures = PacketTimes()
    package let arrivals = PacketTimes()
    /// Nanoseconds that the device held the periods that were spoken and heard, added up.
    private let captureDelays = Atomic<Int64>(0)
    private let playbackDelays = Atomic<Int64>(0)

    /// - Parameters:
    ///   - signal: 48 kHz mono; silence follows it.
    ///   - limit: how much is heard before the ear closes.
    package init(signal samples: [Int16], hearing limit: Duration) {
        signal = Track(samples: samples.count)
        signalCount = samples.count
        _ = signal.samples.update(fromContentsOf: samples)
        ear = Track(samples: max(AudioPeriod.samples, Int(limit.inSeconds * 48_000)))
    }

    deinit {
        signal.deallocate()
        ear.deallocate()
    }

    /// Starts the signal and the ear with the next period. Before that the microphone is silent.
    package func start() { isRunning.store(true, ordering: .releasing) }

    /// Whether the whole signal was spoken.
    package var isSpoken: Bool { spokenCount.load(ordering: .acquiring) >= signalCount }

    /// What came out at the loudspeaker since the start.
    package var heard: [Int16] { Array(ear.samples[..<heardCount.load(ordering: .acquiring)]) }

    /// When a sample of the signal was spoken into the microphone.
    package func spokenAt(sample: Int) -> Instant? {
        signal.instant(of: sample, of: min(signalCount, spokenCount.load(ordering: .acquiring)))
    }

    /// When a sample of `heard` came out at the loudspeaker.
    package func heardAt(sample: Int) -> Instant? {
        ear.instant(of: sample, of: heardCount.load(ordering: .acquiring))
    }

    /// How long the device held what was spoken before it was ours, beyond the period itself; the mean.
    package var captureDelay: Duration {
        let periods = spokenCount.load(ordering: .acquiring) / AudioPeriod.samples
        return .nanoseconds(captureDelays.load(ordering: .relaxed) / Int64(max(1, periods)))
    }

    /// How long the device holds what we give it before it is heard; the mean.
    package var playbackDelay: Duration {
        let periods = heardCount.load(ordering: .acquiring) / AudioPeriod.samples
        return .nanoseconds(playbackDelays.load(ordering: .relaxed) / Int64(max(1, periods)))
    }

    // MARK: - Media thread

    /// Puts the next period of the signal in place of what the microphone gave.
    func speak(into period: UnsafeMutableBufferPointer<Int16>, at instant: Instant, takenAt now: Instant) {
        period.update(repeating: 0)
        guard isRunning.load(ordering: .acquiring) else { return }
        let start = spokenCount.load(ordering: .relaxed)
        guard start < signal.samples.count else { return }
        _ = period.update(fromContentsOf: signal.samples[start..<(start + AudioPeriod.samples)])
        signal.times[start / AudioPeriod.samples] = instant.nanoseconds
        let delay = (now - instant - AudioPeriod.duration).saturatedNanoseconds
        captureDelays.wrappingAdd(max(0, delay), ordering: .relaxed)
        spokenCount.store(start + AudioPeriod.samples, ordering: .releasing)
    }

    /// Keeps a period that is played.
    func hear(_ period: UnsafeMutableBufferPointer<Int16>, at instant: Instant, madeAt now: Instant) {
        guard isRunning.load(ordering: .acquiring) else { return }
        let start = heardCount.load(ordering: .relaxed)
        guard start < ear.samples.count else { return }
        _ = ear.samples[start..<(start + AudioPeriod.samples)].update(fromContentsOf: period)
        ear.times[start / AudioPeriod.samples] = instant.nanoseconds
        playbackDelays.wrappingAdd(max(0, (instant - now).saturatedNanoseconds), ordering: .relaxed)
        heardCount.store(start + AudioPeriod.samples, ordering: .releasing)
    }
}
