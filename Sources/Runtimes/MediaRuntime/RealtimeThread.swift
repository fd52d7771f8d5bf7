import CLinux

/// Starts detached threads. What a thread works on is kept alive by its body until that returns.
package enum RealtimeThread {
    /// The real-time priorities, 1 to 99: the device thread only moves periods and comes before the worker.
    package enum Priority: CInt {
        case normal = 0
        case worker = 70
        case device = 75
    }

    /// libopus wants some 100 kB of stack; 1 MiB leaves room for C libraries' plug-ins.
    private static let stackBytes = 1 << 20

    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Whether the thread has the real-time schedule that its priority asks for.
    @discardableResult
    package static func start(
        _ name: String, priority: Priority, _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) -> Bool {
        let context = Unmanaged.passRetained(Body(body))
        let result = cs_thread_start(
            name, priority.rawValue, stackBytes,
            { @Sendable context in
                guard let context else { return }
                Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
            }, context.toOpaque())
        guard result >= 0 else {
            context.release()
            throw SystemError(code: -result, operation: "start the thread \(name)")
        }
        return result == 1
    }
}
