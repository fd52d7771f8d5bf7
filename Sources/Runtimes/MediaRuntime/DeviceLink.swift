import EngineKit
import Synchronization

/// What a device thread and the media thread share: periods both ways, who wants what, and how it goes.
///
/// The device thread produces `captured` and consumes `playout`; the media thread does the opposite. Each side wakes
/// the other through its eventfd. Playout is by demand: the device thread raises `demanded` when the card has room for
/// a period, the media thread makes it in that moment. So no audio waits in a ring in quiet times, and at most one
/// period does when one of the two was late.
final class DeviceLink: Sendable {
    enum State: UInt8 {
        case opening, running, failed, closed
    }

    /// For messages: `hw:0`, or `A and B` where the directions differ.
    let name: String
    let captured = SampleRing(samples: 2 * AudioPeriod.samples)
    /// Room for all that a card with large periods may ask for at once.
    let playout = SampleRing(samples: 16 * AudioPeriod.samples)
    let toWorker: Wakeup
    let toDevice: Wakeup
    /// For whoever opens the device and wants to know how that ended.
    let opened: Wakeup
    /// For whoever waits until the device is free again.
    let released: Wakeup

    /// Periods that the card has asked for since the start.
    let demanded = Atomic<Int>(0)
    /// Whether the microphone is opened once at first, to know whether it can be.
    let triesCapture: Bool
    /// Microphones are open only while somebody is to be heard. The media thread says when, from the time it knows of
    /// the device.
    let wantsCapture = Atomic<Bool>(false)
    let capturesNow = Atomic<Bool>(false)
    let hasPlayback: Bool
    /// The device thread shall close and end, as soon as it can.
    let isAbandoned = Atomic<Bool>(false)
    /// Samples between the card's connector and the rings, as last seen.
    let captureDelay = Atomic<Int>(0)
    let playbackDelay = Atomic<Int>(0)
    /// Times that the card ran dry or over.
    let underruns = Atomic<Int>(0)
    /// Periods of silence that were sent because the microphone's were late.
    let bridged = Atomic<Int>(0)
    let overruns = Atomic<Int>(0)

    private let rawState = Atomic<UInt8>(State.opening.rawValue)
    private let failure = Mutex<AudioError?>(nil)

    init(name: String, triesCapture: Bool, playback: Bool) throws(SystemError) {
        self.name = name
        toWorker = try Wakeup()
        toDevice = try Wakeup()
        opened = try Wakeup()
        released = try Wakeup()
        self.triesCapture = triesCapture
        hasPlayback = playback
    }

    var state: State { State(rawValue: rawState.load(ordering: .acquiring)) ?? .failed }

    /// Why the device failed; nil where it did not. May wait for a lock: not for the media thread.
    var error: AudioError? { failure.withLock { $0 } }

    // MARK: - Device thread

    func isNowOpen() {
        rawState.store(State.running.rawValue, ordering: .releasing)
        opened.signal()
        toWorker.signal()
    }

    func fail(_ error: AudioError) {
        failure.withLock { $0 = $0 ?? error }
        rawState.store(State.failed.rawValue, ordering: .releasing)
        opened.signal()
        toWorker.signal()
    }

    /// The PCMs are closed: the last thing that a device thread does.
    func isNowReleased() {
        if state == .running { rawState.store(State.closed.rawValue, ordering: .releasing) }
        released.signal()
    }

    // MARK: - Others

    /// Tells the device thread to close. Waits for nothing.
    func abandon() {
        isAbandoned.store(true, ordering: .releasing)
        toDevice.signal()
    }
}
