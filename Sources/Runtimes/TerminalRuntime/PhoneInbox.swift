import CLinux
import Glibc
import Synchronization
import TerminalUI

/// Where other threads leave events for the screen; main takes them out when its descriptor wakes it.
package final class PhoneInbox: Sendable {
    package let descriptor: Int32
    private let waiting = Mutex(Waiting())

    private struct Waiting {
        var events: [PhoneEvent] = []
        var isFinished = false
    }

    /// While main can't draw, as its terminal takes no output, what only refreshes a figure is dropped beyond this.
    private static let capacity = 4096

    package init() throws(TerminalError) {
        let descriptor = cs_event_create()
        guard descriptor >= 0 else { throw .system(call: "eventfd", errno: -descriptor) }
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Hands an event to the screen. From any thread; never waits.
    package func post(_ event: PhoneEvent) {
        waiting.withLock { waiting in
            if waiting.events.count >= Self.capacity, event.isExpendable { return }
            waiting.events.append(event)
        }
        cs_event_signal(descriptor)
    }

    /// Ends the screen's loop after the events posted before. From any thread.
    package func finish() {
        waiting.withLock { $0.isFinished = true }
        cs_event_signal(descriptor)
    }

    /// Takes all that waits, and whether the loop is to end.
    func take() -> (events: [PhoneEvent], isFinished: Bool) {
        _ = cs_event_drain(descriptor)
        return waiting.withLock { waiting in
            defer { waiting.events = [] }
            return (waiting.events, waiting.isFinished)
        }
    }
}

extension PhoneEvent {
    /// Whether a later event makes up for it.
    fileprivate var isExpendable: Bool {
        switch self {
        case .levels, .quality, .log, .sipMessage, .digit, .timeOfDay: true
        default: false
        }
    }
}
