import CLinux
import Glibc

/// The signals that main reads from a descriptor, in place of handlers.
package final class Signals: Sendable {
    package let descriptor: Int32

    package enum Signal: Equatable, Sendable {
        case interrupt, quit, terminate, hangUp, continued, stop, resized, user

        /// Its number on Linux.
        package var number: Int32 {
            switch self {
            case .hangUp: 1
            case .interrupt: 2
            case .quit: 3
            case .user: 10
            case .terminate: 15
            case .continued: 18
            case .stop: 20
            case .resized: 28
            }
        }

        init?(number: Int32) {
            let all: [Signal] = [.interrupt, .quit, .terminate, .hangUp, .continued, .stop, .resized, .user]
            guard let signal = all.first(where: { $0.number == number }) else { return nil }
            self = signal
        }
    }

    /// Which signals a descriptor is for: where two threads read signals, one may hang in a write to its terminal, and
    /// what ends the process must reach the other.
    package struct Kinds: OptionSet, Sendable {
        package let rawValue: Int32

        package init(rawValue: Int32) {
            self.rawValue = rawValue
        }

        /// INT, QUIT, TERM and HUP.
        package static let ends = Kinds(rawValue: Int32(CS_SIGNALS_END))
        package static let others = Kinds(rawValue: Int32(CS_SIGNALS_OTHER))
    }

    /// Blocks all the signals and opens a descriptor for those of some kinds, and installs the crash handler. To be made
    /// on the main thread before any other thread exists, since threads inherit what is blocked.
    package init(_ kinds: Kinds = [.ends, .others]) throws(TerminalError) {
        let blocked = cs_signals_block()
        guard blocked >= 0 else { throw .system(call: "pthread_sigmask", errno: -blocked) }
        let descriptor = cs_signals_open(kinds.rawValue)
        guard descriptor >= 0 else { throw .system(call: "signalfd", errno: -descriptor) }
        self.descriptor = descriptor
        let installed = cs_crash_install()
        guard installed >= 0 else { throw .system(call: "sigaction", errno: -installed) }
    }

    deinit {
        close(descriptor)
    }

    /// The next signal that waits, if any.
    package func next() -> Signal? {
        while true {
            let number = cs_signals_next(descriptor)
            guard number > 0 else { return nil }
            if let signal = Signal(number: number) { return signal }
        }
    }

    /// Whether a signal that ends the process waits to be read.
    package static var isEndWanted: Bool { cs_signals_end_waits() != 0 }

    /// Stops the process until it is continued; whoever else the terminal's stop key reached stops on its own.
    package static func stopProcess() {
        cs_signals_stop(0)
    }

    /// Ends the process by a signal, so that its parent sees the true cause. Returns only for a signal that does not kill.
    package static func die(of signal: Signal) {
        cs_signals_die_of(signal.number)
    }
}
