import Synchronization

/// The thread that reads and writes files, so that a slow disk delays nothing but its file.
final class FileThread: Sendable {
    private struct State {
        var arriving: [any FileStream] = []
        var isStopping = false
        var isStopped = false
    }

    /// The streams hold more than a second; stdin and stdout, which people hear live, less.
    private static let interval: CInt = 20

    private let state = Mutex(State())
    private let wakeup: Wakeup
    private let stopped: Wakeup

    init() throws(SystemError) {
        wakeup = try Wakeup()
        stopped = try Wakeup()
    }

    func start() throws(SystemError) {
        try RealtimeThread.start("offhook-files", priority: .normal) { self.run() }
    }

    func add(_ stream: any FileStream) {
        state.withLock { $0.arriving.append(stream) }
        wakeup.signal()
    }

    /// Has every stream finished, and waits for that for at most `milliseconds`.
    func stop(waiting milliseconds: CInt) {
        state.withLock { $0.isStopping = true }
        wakeup.signal()
        _ = stopped.wait(milliseconds: milliseconds)
    }

    private func run() {
        var streams: [any FileStream] = []
        while true {
            let isStopping = state.withLock { state in
                streams += state.arriving
                state.arriving = []
                return state.isStopping
            }
            streams.removeAll { stream in
                let goesOn = stream.serve()
                if !goesOn || isStopping { stream.finish() }
                return !goesOn
            }
            if isStopping { break }
            _ = wakeup.wait(milliseconds: streams.isEmpty ? -1 : Self.interval)
        }
        stopped.signal()
    }
}
