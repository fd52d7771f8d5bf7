import CLinux
import EngineKit
import Glibc
import ServerLocation
import Synchronization

import struct EngineKit.SocketAddress

/// Asks name servers on a thread of its own, which starts with the first question.
final class NameResolver: Sendable {
    typealias Receiver = @Sendable (NameQuestion, NameAnswer) -> Void

    /// Questions under way at once; more wait for one of them to end.
    private static let mostQueries = 64
    /// How long the thread sleeps where nothing is due, in milliseconds.
    private static let longestWait: CInt = 10_000

    private struct State {
        var questions: [NameQuestion] = []
        var isRunning = false
    }

    private let state = Mutex(State())
    private let thread = WaitingThread()
    private let servers: String
    private let home: SignallingThread
    private let receiver: Receiver

    /// - Parameters:
    ///   - servers: whom to ask; none: those of the system (resolv.conf).
    ///   - receiver: gets every answer, on `home`.
    init(servers: [SocketAddress], on home: SignallingThread, receiver: @escaping Receiver) {
        self.servers = servers.map(\.description).joined(separator: ",")
        self.home = home
        self.receiver = receiver
    }

    /// False where the system has no thread or descriptor left.
    func ask(_ question: NameQuestion) -> Bool {
        let isRunning = state.withLock { state in
            guard !thread.isStopped else { return false }
            state.questions.append(question)
            if !state.isRunning { state.isRunning = thread.start { [self] in run() } }
            return state.isRunning
        }
        thread.wake()
        return isRunning
    }

    /// Ends the thread. Questions that are open get no answer any more.
    func stop() { thread.stop() }

    // MARK: - The thread

    private func run() {
        var queries: [NameQuery] = []
        while let questions = takeQuestions(room: Self.mostQueries - queries.count) {
            for question in questions {
                guard let query = NameQuery(question, servers: servers) else {
                    receive(question, .failed(.serverFailed))
                    continue
                }
                query.begin()
                queries.append(query)
            }
            deliver(&queries)
            wait(for: queries)
            deliver(&queries)
        }
    }

    /// Nil when it is time to end.
    private func takeQuestions(room: Int) -> [NameQuestion]? {
        state.withLock { state in
            guard !thread.isStopped else { return nil }
            let taken = Array(state.questions.prefix(room))
            state.questions.removeFirst(taken.count)
            return taken
        }
    }

    private func wait(for queries: [NameQuery]) {
        var sockets = [pollfd(fd: thread.wakeup, events: Int16(POLLIN), revents: 0)]
        var ranges: [Range<Int>] = []
        var limit = Self.longestWait
        for query in queries {
            let start = sockets.count
            sockets += query.sockets
            ranges.append(start..<sockets.count)
            limit = query.wait(atMost: limit)
        }
        poll(&sockets, nfds_t(sockets.count), limit)
        if sockets[0].revents != 0 { _ = cs_event_drain(thread.wakeup) }
        for (query, range) in zip(queries, ranges) { query.process(sockets[range]) }
    }

    private func receive(_ question: NameQuestion, _ answer: NameAnswer) {
        let receiver = receiver
        home.execute { receiver(question, answer) }
    }

    private func deliver(_ queries: inout [NameQuery]) {
        for query in queries {
            if let answer = query.answer { receive(query.question, answer) }
        }
        queries.removeAll { $0.answer != nil }
    }
}
