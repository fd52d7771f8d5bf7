import Glibc
import Synchronization

/// The three descriptors that every program takes for granted, and what became of the results written to them.
package enum StandardStreams {
    /// Occupies those that the parent closed, so that no socket, event loop or recording gets their numbers and the
    /// reports with them. Reading and writing them still fails. To be called before anything is opened.
    package static func occupyClosed() {
        let uses = [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
        for (descriptor, unusable) in uses where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest free number, since those below are taken by now.
            _ = open("/dev/null", unusable)
        }
    }

    /// Ends the process at once. `exit` would take libraries apart under threads that still use them, as that of
    /// signalling does, which never ends: a digest in that moment is a crash.
    package static func leave(with code: Int32) -> Never {
        fflush(nil)
        _exit(code)
    }

    /// What a command comes to: one that succeeded, but whose results did not all reach standard output, did not.
    package static func result(of status: ExitStatus) -> ExitStatus {
        let code = lostOutput.load(ordering: .relaxed)
        guard status == .success, code != 0 else { return status }
        ReportWriter.write("offhook: standard output: \(String(cString: strerror(code)))\n", to: STDERR_FILENO)
        return .resultsLost
    }

    /// Writes a result that is no report, such as a help text.
    package static func print(_ text: String) {
        ReportWriter.write(text + "\n", to: STDOUT_FILENO)
    }

    /// Says what is wrong with a command line.
    package static func complain(_ line: String) {
        ReportWriter.write(line + "\n", to: STDERR_FILENO)
    }

    /// Notes that a write failed. A reader who went away has seen enough, and is no failure.
    static func noteFailure(of descriptor: CInt, _ code: CInt) {
        guard descriptor == STDOUT_FILENO, code != EPIPE else { return }
        lostOutput.store(code, ordering: .relaxed)
    }

    /// Notes that audio was to go to standard output, which did not take it.
    static func noteLostAudio(_ code: CInt = EIO) {
        noteFailure(of: STDOUT_FILENO, code)
    }

    private static let lostOutput = Atomic<CInt>(0)
}
