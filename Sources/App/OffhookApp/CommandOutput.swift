@preconcurrency import Glibc  // `environ`, which is read while nothing writes it
import TerminalRuntime

/// Why a program gave nothing that can be used.
package enum CommandFailure: Error, Hashable, Sendable, CustomStringConvertible {
    case notStarted(reason: String)
    case timedOut(Duration)
    case tooMuchOutput(limit: Int)
    case exited(status: Int32)
    case endedBySignal(Int32)
    /// We were told to end.
    case givenUp

    package var description: String {
        switch self {
        case .notStarted(let reason): "can't be started: \(reason)"
        case .timedOut(let duration): "did not end within \(duration)"
        case .tooMuchOutput(let limit): "prints more than \(limit) bytes"
        case .exited(let status): "failed with exit status \(status)"
        case .endedBySignal(let signal): "was ended by signal \(signal)"
        case .givenUp: "was not waited for"
        }
    }
}

/// What a program prints on its standard output.
enum CommandOutput {
    /// Runs a program to its end, found by `PATH` where its name has no slash. No shell sees the words.
    ///
    /// The program reads an empty input and shares our error output and terminal, so that it may ask there. What does
    /// not end in time, or prints too much, is killed. Waits; not for a thread that has something better to do.
    static func run(_ words: [String], within timeout: Duration, limit: Int) -> Result<[UInt8], CommandFailure> {
        guard !words.isEmpty, !words.contains(where: { $0.utf8.contains(0) }) else {
            return .failure(.notStarted(reason: "the command is empty or holds a NUL"))
        }
        var pipeEnds: [CInt] = [-1, -1]
        guard pipe(&pipeEnds) == 0 else { return .failure(.notStarted(reason: reason(errno))) }
        for end in pipeEnds { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let child = spawn(words, output: pipeEnds[1])
        close(pipeEnds[1])
        defer { close(pipeEnds[0]) }
        switch child {
        case .failure(let failure): return .failure(failure)
        case .success(let process):
            let deadline = monotonicNow() + timeout
            let output = readToEnd(pipeEnds[0], until: deadline, limit: limit)
            var status: CInt = 0
            if case .failure(let failure) = output {
                kill(process, SIGKILL)
                waitpid(process, &status, 0)
                if case .timedOut = failure { return .failure(.timedOut(timeout)) }
                return output
            }
            // The output is closed, which normally means that the program has ended or is about to.
            while waitpid(process, &status, WNOHANG) == 0 {
                let isOver = monotonicNow() >= deadline
                guard !isOver, !Signals.isEndWanted else {
                    kill(process, SIGKILL)
                    waitpid(process, &status, 0)
                    return .failure(isOver ? .timedOut(timeout) : .givenUp)
                }
                poll(nil, 0, 2)
            }
            let signal = status & 0x7f
            guard signal == 0 else { return .failure(.endedBySignal(signal)) }
            let exitStatus = status >> 8 & 0xff
            return exitStatus == 0 ? output : .failure(.exited(status: exitStatus))
        }
    }

    private static func spawn(_ words: [String], output: CInt) -> Result<pid_t, CommandFailure> {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        // Our threads block the signals that main reads from a descriptor, and SIGPIPE and SIGXFSZ are ignored; neither
        // is the program's business.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var noSignals = sigset_t()
        sigemptyset(&noSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)
        var ignoredSignals = sigset_t()
        sigemptyset(&ignoredSignals)
        sigaddset(&ignoredSignals, SIGPIPE)
        sigaddset(&ignoredSignals, SIGXFSZ)
        posix_spawnattr_setsigdefault(&attributes, &ignoredSignals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { arguments.forEach { free($0) } }
        var process: pid_t = 0
        let code = posix_spawnp(&process, words[0], &actions, &attributes, arguments, environ)
        return code == 0 ? .success(process) : .failure(.notStarted(reason: reason(code)))
    }

    private static func readToEnd(
        _ descriptor: CInt, until deadline: ContinuousClock.Instant, limit: Int
    ) -> Result<[UInt8], CommandFailure> {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let left = monotonicNow().duration(to: deadline)
            guard left > .zero else { return .failure(.timedOut(.zero)) }
            guard !Signals.isEndWanted else { return .failure(.givenUp) }
            let (seconds, attoseconds) = left.components
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let milliseconds = min(seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1, signalInterval)
            guard poll(&request, 1, CInt(milliseconds)) > 0 else { continue }
            let count = read(descriptor, &chunk, chunk.count)
            if count == 0 { return .success(bytes) }
            guard count > 0 else {
                if errno == EINTR { continue }
                return .failure(.notStarted(reason: reason(errno)))
            }
            bytes += chunk[..<count]
            guard bytes.count <= limit else { return .failure(.tooMuchOutput(limit: limit)) }
        }
    }

    /// How often is looked whether we are to end, in milliseconds.
    private static let signalInterval: Int64 = 50

    private static func monotonicNow() -> ContinuousClock.Instant { ContinuousClock().now }

    private static func reason(_ code: CInt) -> String { String(cString: strerror(code)) }
}
