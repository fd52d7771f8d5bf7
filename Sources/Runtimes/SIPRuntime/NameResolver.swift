import CLinux
import EngineKit
import Glibc
import NIOCore
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
        var isStopped = false
    }

    private let state = Mutex(State())
    private let wakeup: CInt
    private let servers: String
    private let loop: any EventLoop
    private let receiver: Receiver

    /// - Parameters:
    ///   - servers: whom to ask; none: those of the system (resolv.conf).
    ///   - receiver: gets every answer, on `loop`.
    init(servers: [SocketAddress], on loop: any EventLoop, receiver: @escaping Receiver) {
        wakeup = cs_event_create()
        self.servers = servers.map(\.description).joined(separator: ",")
        self.loop = loop
        self.receiver = receiver
    }

    deinit { if wakeup >= 0 { close(wakeup) } }

    /// False where the system has no thread or descriptor left.
    func ask(_ question: NameQuestion) -> Bool {
        guard wakeup >= 0 else { return false }
        let isRunning = state.withLock { state in
            guard !state.isStopped else { return false }
            state.questions.append(question)
            if !state.isRunning { state.isRunning = start() }
            return state.isRunning
        }
        _ = cs_event_signal(wakeup)
        return isRunning
    }

    /// Ends the thread. Questions that are open get no answer any more.
    func stop() {
        state.withLock { $0.isStopped = true }
        _ = cs_event_signal(wakeup)
    }

    // MARK: - The thread

    private func start() -> Bool {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let code = pthread_create(
            &thread, nil,
            { @Sendable context in
                guard let context else { return nil }
                Unmanaged<NameResolver>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard code == 0 else {
            context.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

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
            guard !state.isStopped else { return nil }
            let taken = Array(state.questions.prefix(room))
            state.questions.removeFirst(taken.count)
            return taken
        }
    }

    private func wait(for queries: [NameQuery]) {
        var sockets = [pollfd(fd: wakeup, events: Int16(POLLIN), revents: 0)]
        var ranges: [Range<Int>] = []
        var limit = Self.longestWait
        for query in queries {
            let start = sockets.count
            sockets += query.sockets
            ranges.append(start..<sockets.count)
            limit = query.wait(atMost: limit)
        }
        poll(&sockets, nfds_t(sockets.count), limit)
        if sockets[0].revents != 0 { _ = cs_event_drain(wakeup) }
        for (query, range) in zip(queries, ranges) { query.process(sockets[range]) }
    }

    private func receive(_ question: NameQuestion, _ answer: NameAnswer) {
        let receiver = receiver
        loop.execute { receiver(question, answer) }
    }

    private func deliver(_ queries: inout [NameQuery]) {
        for query in queries {
            if let answer = query.answer { receive(query.question, answer) }
        }
        queries.removeAll { $0.answer != nil }
    }
}
