import Glibc
import Synchronization

/// The lines that a program writes, and those who wait for one of them.
final class Transcript: Sendable {
    enum Stream { case output, errors }

    enum Outcome: Sendable {
        case line(String)
        case ended(Int32)
        case timedOut
    }

    struct Written: Sendable {
        var output: [String] = []
        var errors: [String] = []
    }

    private struct Waiter {
        let matches: @Sendable (Written) -> Outcome?
        let continuation: CheckedContinuation<Outcome, Never>
        var expiry: Task<Void, any Error>?

        func resume(returning outcome: Outcome) {
            expiry?.cancel()
            continuation.resume(returning: outcome)
        }
    }

    private struct State {
        var written = Written()
        /// What follows the last line end of each stream.
        var rests: [Stream: [UInt8]] = [:]
        var status: Int32?
        var waiters: [Int: Waiter] = [:]
        var waitersBegun = 0
    }

    private let process: pid_t
    private let state = Mutex(State())

    init(process: pid_t) {
        self.process = process
    }

    func lines(_ stream: Stream) -> [String] {
        state.withLock { stream == .output ? $0.written.output : $0.written.errors }
    }

    var text: String {
        state.withLock { ($0.written.output + $0.written.errors).joined(separator: "\n") }
    }

    var hasEnded: Bool { state.withLock { $0.status != nil } }

    /// Nothing once the process has been waited for, when its id may belong to another.
    func signal(_ number: Int32) {
        state.withLock { if $0.status == nil { kill(-process, number) } }
    }

    /// Waits for what `matches` finds in all that was written, for the end of the program, or for `bound` to pass.
    func wait(atMost bound: Duration, for matches: @escaping @Sendable (Written) -> Outcome?) async -> Outcome {
        await withCheckedContinuation { continuation in
            let (number, outcome) = state.withLock { state -> (Int, Outcome?) in
                state.waitersBegun += 1
                let outcome = Self.outcome(state, matches)
                if outcome == nil {
                    state.waiters[state.waitersBegun] = Waiter(matches: matches, continuation: continuation)
                }
                return (state.waitersBegun, outcome)
            }
            if let outcome { return continuation.resume(returning: outcome) }
            let expiry = Task {
                try await Task.sleep(for: bound)
                take(number)?.continuation.resume(returning: .timedOut)
            }
            state.withLock { $0.waiters[number]?.expiry = expiry }
        }
    }

    private func take(_ number: Int) -> Waiter? {
        state.withLock { $0.waiters.removeValue(forKey: number) }
    }

    private static func outcome(_ state: State, _ matches: (Written) -> Outcome?) -> Outcome? {
        matches(state.written) ?? state.status.map { .ended($0) }
    }

    // MARK: - The reading thread

    func readOnOwnThread(output: CInt, errors: CInt) {
        let body = Unmanaged.passRetained(Reading(transcript: self, output: output, errors: errors))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Reading>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, body.toOpaque())
        precondition(code == 0, "no thread for a program's output")
        pthread_detach(thread)
    }

    private final class Reading {
        let transcript: Transcript
        let descriptors: [(CInt, Stream)]

        init(transcript: Transcript, output: CInt, errors: CInt) {
            self.transcript = transcript
            descriptors = [(output, .output), (errors, .errors)]
        }

        func run() {
            var open = descriptors
            var chunk = [UInt8](repeating: 0, count: 16_384)
            while !open.isEmpty {
                var requests = open.map { pollfd(fd: $0.0, events: Int16(POLLIN), revents: 0) }
                guard poll(&requests, nfds_t(requests.count), -1) > 0 else { continue }
                for (index, request) in requests.enumerated().reversed() where request.revents != 0 {
                    let count = read(request.fd, &chunk, chunk.count)
                    if count > 0 {
                        transcript.append(chunk[..<count], to: open[index].1)
                    } else if count == 0 || errno != EINTR {
                        close(request.fd)
                        open.remove(at: index)
                    }
                }
            }
            // Nobody holds the pipes any more: the program has ended, or is about to.
            var status: CInt = 0
            while waitpid(transcript.process, &status, 0) < 0 && errno == EINTR {}
            let signal = status & 0x7f
            transcript.finish(signal == 0 ? status >> 8 & 0xff : 128 + signal)
        }
    }

    private func append(_ bytes: ArraySlice<UInt8>, to stream: Stream) {
        update { state in
            var pieces = (state.rests[stream, default: []] + bytes)
                .split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            state.rests[stream] = pieces.popLast().map(Array.init) ?? []
            let lines = pieces.map { String(decoding: $0, as: UTF8.self) }
            if stream == .output { state.written.output += lines } else { state.written.errors += lines }
        }
    }

    private func finish(_ status: Int32) {
        update { state in
            for (stream, rest) in state.rests where !rest.isEmpty {
                let line = String(decoding: rest, as: UTF8.self)
                if stream == .output { state.written.output.append(line) } else { state.written.errors.append(line) }
            }
            state.status = status
        }
    }

    /// Changes the state, and lets everybody go on who has what they wait for.
    private func update(_ change: (inout State) -> Void) {
        let ready = state.withLock { state -> [(Waiter, Outcome)] in
            change(&state)
            var ready: [(Waiter, Outcome)] = []
            for (number, waiter) in state.waiters {
                guard let outcome = Self.outcome(state, waiter.matches) else { continue }
                state.waiters[number] = nil
                ready.append((waiter, outcome))
            }
            return ready
        }
        for (waiter, outcome) in ready { waiter.resume(returning: outcome) }
    }
}
