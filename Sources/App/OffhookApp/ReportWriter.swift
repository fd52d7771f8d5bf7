import EngineKit
import Glibc
import SIPRuntime
import Synchronization
import TerminalRuntime
import TerminalUI

/// Writes reports where scripts and people look for them: JSON lines on standard output, or text on standard error.
///
/// Every event carries `v`, `event`, `time` (wall clock, RFC 3339 with milliseconds) and `t` (seconds since the start).
struct ReportWriter: Sendable {
    let isJSON: Bool
    /// Where events go instead of standard output: with `--audio stdio` that carries samples.
    let descriptor: CInt
    let start: Instant

    init(isJSON: Bool, standardOutputIsAudio: Bool = false, start: Instant) {
        self.isJSON = isJSON
        self.start = start
        descriptor = isJSON && !standardOutputIsAudio ? STDOUT_FILENO : STDERR_FILENO
    }

    func write(_ report: PhoneReport, at now: Instant, wallClock: WallClock) {
        let line = isJSON ? json(report, at: now, wallClock: wallClock) : text(report, wallClock: wallClock)
        Self.write(line + "\n", to: descriptor)
    }

    func json(_ report: PhoneReport, at now: Instant, wallClock: WallClock) -> String {
        let (name, members) = report.event
        return JSON.object(
            [
                .init("v", .integer(1)), .init("event", .string(name)), .init("time", .string(wallClock.rfc3339)),
                .init("t", .decimal((now - start).inSeconds, places: 3)),
            ] + members
        ).description
    }

    private func text(_ report: PhoneReport, wallClock: WallClock) -> String {
        wallClock.timeOfDay + "  " + Printable.line(report.text)
    }

    /// Writes all of `text`, or as much as the reader takes before it goes away.
    ///
    /// A reader that does not read is waited for, until a signal or the bound on the command wants the process to end:
    /// from then on that descriptor gets nothing more, lest half a line be followed by another.
    static func write(
        _ text: String, to descriptor: CInt, unless mustLeave: () -> Bool = { Signals.isEndWanted || isOverdue }
    ) {
        let bit: UInt64 = (0..<64).contains(descriptor) ? 1 << UInt64(descriptor) : 0
        guard abandoned.load(ordering: .relaxed) & bit == 0 else { return }
        var text = text
        text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while let base = rest.baseAddress, !rest.isEmpty {
                guard isReady(descriptor) else {
                    guard mustLeave() else { continue }
                    abandoned.bitwiseOr(bit, ordering: .relaxed)
                    if isOverdue { StandardStreams.noteFailure(of: descriptor, ETIMEDOUT) }
                    return
                }
                // What a pipe with room takes without blocking.
                let count = Glibc.write(descriptor, base, min(rest.count, pipeAtom))
                if count < 0 && (errno == EINTR || errno == EAGAIN) { continue }
                guard count > 0 else { return StandardStreams.noteFailure(of: descriptor, errno) }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }

    /// Lets readers keep the process waiting until an instant, and no longer.
    static func waitForReaders(until instant: Instant) {
        bound.store(instant.nanoseconds, ordering: .relaxed)
    }

    private static var isOverdue: Bool { SystemClock.now.nanoseconds >= bound.load(ordering: .relaxed) }

    private static let bound = Atomic<Int64>(.max)
    /// PIPE_BUF on Linux.
    private static let pipeAtom = 4096
    /// The descriptors below 64 whose reader kept us from leaving, as bits.
    private static let abandoned = Atomic<UInt64>(0)

    /// Waits a little for room; true also where the write will tell what is wrong.
    private static func isReady(_ descriptor: CInt) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&request, 1, 50) > 0
    }
}

/// A reading of the wall clock, in microseconds since 1970 (UTC).
struct WallClock: Sendable {
    var microseconds: Int64

    static func now() -> WallClock {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallClock(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }

    /// RFC 3339 in UTC, with milliseconds.
    var rfc3339: String {
        var seconds = time_t(microseconds / 1_000_000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        return
            "\(Self.digits(parts.tm_year + 1900, 4))-\(Self.digits(parts.tm_mon + 1, 2))-\(Self.digits(parts.tm_mday, 2))"
            + "T\(Self.clock(parts)).\(Self.digits(CInt(milliseconds), 3))Z"
    }

    /// The local time of day with milliseconds.
    var timeOfDay: String {
        "\(Self.clock(local)).\(Self.digits(CInt(milliseconds), 3))"
    }

    /// Milliseconds since the local midnight.
    var millisecondsOfDay: Int {
        let parts = local
        return ((Int(parts.tm_hour) * 60 + Int(parts.tm_min)) * 60 + Int(parts.tm_sec)) * 1000 + milliseconds
    }

    private var milliseconds: Int { Int(microseconds / 1000 % 1000) }

    private var local: tm {
        var seconds = time_t(microseconds / 1_000_000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        return parts
    }

    private static func clock(_ parts: tm) -> String {
        "\(digits(parts.tm_hour, 2)):\(digits(parts.tm_min, 2)):\(digits(parts.tm_sec, 2))"
    }

    private static func digits(_ value: CInt, _ count: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
}
