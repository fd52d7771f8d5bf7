import CLinux
import Glibc

/// What the process allows itself.
enum ProcessLimits {
    /// What a few calls take with their sockets, devices and files.
    private static let leastDescriptors: rlim_t = 64

    /// Raises the soft limit of descriptors to the hard one: each call takes two sockets, each connection one. Refuses
    /// to start with so few that the event loops could not be made, or a call would end for want of one.
    static func raiseDescriptors() throws(StartFault) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        guard limit.rlim_max >= leastDescriptors else {
            throw StartFault(
                .internalError,
                "this process may open \(limit.rlim_max) files, and a phone needs \(leastDescriptors): "
                    + "raise the limit (ulimit -n)")
        }
        guard limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Whatever gets hold of this process can become nobody else by a program that has more rights (ROBUSTNESS S23). To be
    /// called before the first thread starts, and after the programs have run that fetch passwords.
    static func renouncePrivileges() {
        // A kernel without it takes nothing from a phone that has no privileges.
        _ = cs_process_renounce_privileges()
    }

    /// What runs at least beside the phone's own loop.
    private static let leastThreads = 6

    /// Refuses to start where the system gives no threads: the library that makes those of the tasks would wait for them
    /// without end.
    static func requireThreads() throws(StartFault) {
        var gate: [CInt] = [-1, -1]
        guard pipe(&gate) == 0 else { return }
        defer { close(gate[0]) }
        var threads: [pthread_t] = []
        var code: CInt = 0
        while code == 0, threads.count < leastThreads {
            var thread = pthread_t()
            code = pthread_create(
                &thread, nil,
                { @Sendable gate in
                    var byte: UInt8 = 0
                    _ = read(CInt(truncatingIfNeeded: Int(bitPattern: gate)), &byte, 1)
                    return nil
                }, UnsafeMutableRawPointer(bitPattern: Int(gate[0])))
            if code == 0 { threads.append(thread) }
        }
        close(gate[1])
        for thread in threads { pthread_join(thread, nil) }
        guard code == 0 else {
            throw StartFault(
                .internalError,
                "the system gives this process no more than \(threads.count) threads, and a phone needs "
                    + "\(leastThreads): raise the limit of memory (ulimit -v) or of processes (ulimit -u)")
        }
    }

    /// Leaves no core file behind: it would hold the passwords that were read (ROBUSTNESS S23).
    static func forbidCoreDumps() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
    }
}
