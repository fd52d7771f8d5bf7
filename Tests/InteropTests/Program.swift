@preconcurrency import Glibc  // `environ`, which is read while nothing writes it
import Synchronization

/// A program that a test started: what it wrote, line by line, and how it ended.
///
/// A thread of its own reads the pipes, so that a test waits without holding a thread of the test runner. What is still
/// running when the last reference goes is killed, by its id. It leads a process group of its own, and a signal reaches
/// the whole group: a server's children too.
final class Program: Sendable {
    /// Why a wait ended without what was waited for. Each carries all that the program wrote.
    enum Failure: Error, CustomStringConvertible {
        case notStarted(name: String, reason: String)
        case timedOut(name: String, waitingFor: String, written: String)
        case ended(name: String, status: Int32, waitingFor: String, written: String)

        var description: String {
            switch self {
            case .notStarted(let name, let reason): "\(name) can't be started: \(reason)"
            case .timedOut(let name, let what, let written): "\(name): no \(what) in time; it wrote:\n\(written)"
            case .ended(let name, let status, let what, let written):
                "\(name) ended with \(status) before \(what); it wrote:\n\(written)"
            }
        }
    }

    let name: String
    let process: pid_t
    private let transcript: Transcript

    /// Starts `words[0]`, found through PATH, with `/dev/null` as its input.
    init(_ words: [String]) throws(Failure) {
        let name = words.first.map { String($0.split(separator: "/").last ?? "") } ?? ""
        let started: Started
        switch Self.start(words) {
        case .success(let success): started = success
        case .failure(let failure): throw .notStarted(name: name, reason: failure.reason)
        }
        (self.name, process) = (name, started.process)
        transcript = Transcript(process: process)
        transcript.readOnOwnThread(output: started.output, errors: started.errors)
    }

    deinit {
        transcript.signal(SIGKILL)
    }

    func signal(_ number: Int32) {
        transcript.signal(number)
    }

    var hasEnded: Bool { transcript.hasEnded }

    /// What it wrote to standard output so far, without line ends.
    var output: [String] { transcript.lines(.output) }

    /// What it wrote to standard error so far, without line ends.
    var errors: [String] { transcript.lines(.errors) }

    /// The first line of standard output that `matches`, which may have come already.
    func line(
        _ what: String, within bound: Duration = .seconds(10), where matches: @escaping @Sendable (String) -> Bool
    ) async throws -> String {
        let found = await transcript.wait(atMost: bound) { $0.output.first(where: matches).map { .line($0) } }
        return try line(found, what)
    }

    /// The first line of standard error that `matches`.
    func errorLine(
        _ what: String, within bound: Duration = .seconds(10), where matches: @escaping @Sendable (String) -> Bool
    ) async throws -> String {
        let found = await transcript.wait(atMost: bound) { $0.errors.first(where: matches).map { .line($0) } }
        return try line(found, what)
    }

    /// Waits for the end: the exit status, or 128 + the signal that ended it.
    func end(within bound: Duration = .seconds(20)) async throws -> Int32 {
        switch await transcript.wait(atMost: bound, for: { _ in nil }) {
        case .ended(let status): return status
        default: throw Failure.timedOut(name: name, waitingFor: "end", written: transcript.text)
        }
    }

    private func line(_ outcome: Transcript.Outcome, _ what: String) throws -> String {
        switch outcome {
        case .line(let line): return line
        case .ended(let status):
            throw Failure.ended(name: name, status: status, waitingFor: what, written: transcript.text)
        case .timedOut: throw Failure.timedOut(name: name, waitingFor: what, written: transcript.text)
        }
    }

    /// All that it wrote, for the message of a failed expectation.
    var written: String { "\(name) wrote:\n\(transcript.text)" }

    // MARK: - Starting

    private struct Started {
        var process: pid_t
        /// The ends of pipes that are ours.
        var output: CInt
        var errors: CInt
    }

    private struct SystemError: Error {
        let code: CInt

        var reason: String { String(cString: strerror(code)) }
    }

    /// One start at a time: a program that got the pipes of another would keep them open after its end.
    private static let starting = Mutex(())

    private static func start(_ words: [String]) -> Result<Started, SystemError> {
        starting.withLock { _ in
            var output: [CInt] = [-1, -1]
            var errors: [CInt] = [-1, -1]
            guard pipe(&output) == 0 else { return .failure(SystemError(code: errno)) }
            guard pipe(&errors) == 0 else { return .failure(SystemError(code: errno)) }
            for end in output + errors { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            defer { for end in [output[1], errors[1]] { close(end) } }
            switch spawn(words, output: output[1], errors: errors[1]) {
            case .success(let process):
                return .success(Started(process: process, output: output[0], errors: errors[0]))
            case .failure(let error):
                for end in [output[0], errors[0]] { close(end) }
                return .failure(error)
            }
        }
    }

    private static func spawn(_ words: [String], output: CInt, errors: CInt) -> Result<pid_t, SystemError> {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setpgroup(&attributes, 0)
        // Threads that run tests block signals, and a program would inherit that and not hear SIGTERM.
        var noSignals = sigset_t()
        sigemptyset(&noSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { arguments.forEach { free($0) } }
        var process: pid_t = 0
        let code = posix_spawnp(&process, words.first ?? "", &actions, &attributes, arguments, environ)
        return code == 0 ? .success(process) : .failure(SystemError(code: code))
    }
}
