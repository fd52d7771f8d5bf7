import CLinux
import Glibc

/// An eventfd: any thread signals, one thread waits.
package final class Wakeup: Sendable {
    package let descriptor: CInt

    package init() throws(SystemError) {
        descriptor = try SystemError.check(cs_event_create(), "make an eventfd")
    }

    deinit { close(descriptor) }

    package func signal() { _ = cs_event_signal(descriptor) }

    /// Takes back all signals so far; false where there was none.
    @discardableResult
    package func drain() -> Bool { cs_event_drain(descriptor) > 0 }

    /// Waits for a signal for at most `milliseconds` (-1: for ever) and drains it; false where none came.
    package func wait(milliseconds: CInt) -> Bool {
        cs_wait_readable(descriptor, milliseconds) > 0 && drain()
    }
}

/// Owns a descriptor.
final class Descriptor: Sendable {
    let number: CInt

    init(_ number: CInt) { self.number = number }

    deinit { close(number) }
}
