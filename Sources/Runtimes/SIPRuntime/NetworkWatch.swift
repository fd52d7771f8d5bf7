import CLinux
import EngineKit
import Glibc

/// Waits on a thread of its own for the machine to be somewhere else: other addresses, or later after a sleep.
final class NetworkWatch: Sendable {
    enum News: Sendable {
        case moved(NetworkPlace)
        case slept(Duration)
    }

    /// A cable that is plugged in makes a dozen pieces of news: they are looked at when none came for that long, in ms...
    private static let quiet: CInt = 200
    /// ... or after so many times that.
    private static let patience = 10

    private let thread = WaitingThread()
    private let network: CInt
    private let clock: CInt
    private let home: SignallingThread
    private let receiver: @Sendable (News) -> Void

    /// - Parameter receiver: told of the news on `home`.
    init(on home: SignallingThread, receiver: @escaping @Sendable (News) -> Void) {
        network = cs_network_open()
        clock = cs_clock_watch_open()
        self.home = home
        self.receiver = receiver
    }

    deinit { for descriptor in [network, clock] where descriptor >= 0 { close(descriptor) } }

    /// False where the system gives no thread or descriptor: then nobody watches, and registrations move with their
    /// refresh.
    func start() -> Bool {
        guard network >= 0 else { return false }
        return thread.start { [self] in run() }
    }

    func stop() { thread.stop() }

    // MARK: - The thread

    private func run() {
        var place = NetworkPlace.current()
        var gauge = SleepGauge(asleep: .nanoseconds(cs_time_asleep()))
        while wait(-1) {
            if clock >= 0 { _ = cs_clock_watch_drain(clock) }
            if let slept = gauge.slept(.nanoseconds(cs_time_asleep())) { tell(.slept(slept)) }
            guard cs_network_drain(network) > 0, settle() else { continue }
            let now = NetworkPlace.current()
            if now != place { tell(.moved(now)) }
            place = now
        }
    }

    /// Waits until the news pause. False when it is time to end.
    private func settle() -> Bool {
        for _ in 0..<Self.patience {
            guard wait(Self.quiet) else { return false }
            if cs_network_drain(network) == 0 { return true }
        }
        return true
    }

    /// Waits for news, or for `timeout` milliseconds. False when it is time to end.
    private func wait(_ timeout: CInt) -> Bool {
        // A descriptor below 0 is passed over.
        var sockets = [thread.wakeup, network, clock].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        poll(&sockets, nfds_t(sockets.count), timeout)
        return !thread.isStopped
    }

    private func tell(_ news: News) {
        let receiver = receiver
        home.execute { receiver(news) }
    }
}
