import EngineKit
import RTPMedia
import Synchronization

/// The place of one call's media, made and taken apart off the media thread. A `MediaSession` is some kilobytes: its
/// address travels, not its bytes.
///
/// Between `WorkerCommand.add` and `WorkerReport.retired` it belongs to the media thread alone.
struct CallBox: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<MediaCall>

    init(_ call: consuming MediaCall) {
        pointer = .allocate(capacity: 1)
        pointer.initialize(to: call)
    }

    func destroy() {
        pointer.deinitialize(count: 1)
        pointer.deallocate()
    }
}

/// The tones that the person at this phone hears beside the calls. Each is heard once at a time.
package enum LocalTone: Int, CaseIterable, Sendable {
    case ringing, ringback, callWaiting, busy
    /// A key that was pressed.
    case key
}

/// What is asked of the media thread. Plain bits: the sender keeps what is referred to alive.
enum WorkerCommand: Sendable {
    case add(CallBox)
    case update(call: UInt32, MediaConfiguration)
    case stop(call: UInt32)
    case beginPlaying(call: UInt32)
    case mute(call: UInt32, Bool)
    /// Those of one number hear each other; nil is none.
    case conference(call: UInt32, UInt32?)
    case digit(call: UInt32, DigitStep)
    /// Nil ends the tone.
    case tone(LocalTone, ToneGenerator?)
    case attach(DeviceReference)
    case detach
    case quit
}

/// A device that the sender has retained, and that comes back in `WorkerReport.detached`.
struct DeviceReference: @unchecked Sendable {
    let link: Unmanaged<DeviceLink>
}

/// What the media thread has to say. Plain bits.
enum WorkerReport: Sendable {
    case media(call: UInt32, MediaEvent)
    case playStarted(call: UInt32)
    case playFinished(call: UInt32)
    case heard(call: UInt32, HeardSound)
    case digitRefused(call: UInt32, DTMFDigit)
    case retired(CallBox)
    case inputEnded
    case deviceOpened
    /// The device failed by its own word, or did not respond.
    case deviceLost(isSilent: Bool)
    case detached(DeviceReference)
}

struct StatisticsReport: Sendable {
    let call: UInt32
    let statistics: MediaStatistics
}

/// The rings between the media thread and those who control it.
final class WorkerChannel: Sendable {
    /// Consumer: the media thread. Producer: whoever holds the engine's lock.
    let commands = Ring<WorkerCommand>(capacity: 512, filler: .quit)
    /// Producer: the media thread. Consumer: the control thread.
    let reports = Ring<WorkerReport>(capacity: 1024, filler: .inputEnded)
    let statistics = Ring<StatisticsReport>(
        capacity: 256, filler: StatisticsReport(call: 0, statistics: MediaStatistics()))
    let toWorker: Wakeup
    let toControl: Wakeup
    /// The media thread has returned: no report comes any more.
    let isEnded = Atomic<Bool>(false)

    init() throws(SystemError) {
        toWorker = try Wakeup()
        toControl = try Wakeup()
    }
}
