import EngineKit
import RTPMedia
import SIPMessages

/// What a run of the loopback test measured.
struct LoopbackReport: Sendable {
    struct Direction: Sendable {
        /// `A → B`.
        var name: String
        var signal: LoopbackSignal
        var hearing: LoopbackHearing
        /// Of the phone that heard.
        var statistics: MediaStatistics
        /// Packets that the phone that spoke has sent.
        var sentPackets: UInt64
        /// Milliseconds in a packet of the phone that spoke.
        var packetTime: Int
        /// What the packets took from socket to socket on average; nil where none arrived.
        var network: Duration?
        /// Milliseconds that the two devices held what was spoken and what was heard.
        var deviceMilliseconds: Double
    }

    struct Step: Sendable {
        var text: String
        var isFromCaller: Bool
        /// Since the INVITE.
        var at: Duration
    }

    struct Check: Equatable, Sendable {
        var name: String
        var measured: String
        var threshold: String
        var holds: Bool
    }

    var addresses: (caller: String, callee: String)
    var audio: String
    var codec: String
    var ladder: [Step]
    var setUp: Duration?
    var isEndedCleanly: Bool
    var directions: [Direction]
    var elapsed: Duration
    /// What went wrong before anything could be measured.
    var problem: String?

    static let expectedCodec = "opus"
    static let levelTolerance = 0.5
    static let longestLatency = 150.0
    static let highestJitter = 10.0
    static let longestSetUp = 1000.0
    /// One in so many packets may miss its playout: a busy machine holds one up now and then, and what conceals it is heard
    /// by the windows of the tone.
    static let latePacketsIn: UInt64 = 100

    /// Every threshold that the verdict rests on, with what was measured.
    var checks: [Check] {
        var checks = [
            Check(
                name: "call set-up", measured: Self.milliseconds(setUp), threshold: "<= \(Int(Self.longestSetUp)) ms",
                holds: setUp.map { $0.milliseconds <= Self.longestSetUp } ?? false),
            Check(
                name: "codec", measured: codec, threshold: "= \(Self.expectedCodec)", holds: codec == Self.expectedCodec
            ),
        ]
        for direction in directions { checks += Self.checks(of: direction) }
        checks.append(
            Check(
                name: "hang-up", measured: isEndedCleanly ? "BYE answered" : "not answered", threshold: "BYE answered",
                holds: isEndedCleanly))
        return checks
    }

    private static func checks(of direction: Direction) -> [Check] {
        let hearing = direction.hearing
        let level = abs(hearing.level - direction.signal.level)
        let statistics = direction.statistics
        return [
            Check(
                name: "\(direction.name) tone \(Int(direction.signal.tone)) Hz",
                measured: "\(hearing.windowsWithTone)/\(hearing.windows) windows", threshold: "all",
                holds: hearing.windows > 0 && hearing.windowsWithTone >= hearing.windows),
            Check(
                name: "\(direction.name) foreign tone", measured: "\(hearing.windowsWithForeignTone) windows",
                threshold: "none", holds: hearing.windowsWithForeignTone == 0),
            Check(
                name: "\(direction.name) level", measured: "\(fixed(hearing.level, 1)) dBFS",
                threshold: "\(fixed(direction.signal.level, 1)) +- \(levelTolerance) dB", holds: level <= levelTolerance
            ),
            Check(
                name: "\(direction.name) latency", measured: milliseconds(hearing.latency),
                threshold: "<= \(Int(longestLatency)) ms",
                holds: hearing.latency.map { (0...longestLatency).contains($0.milliseconds) } ?? false),
            Check(
                name: "\(direction.name) loss", measured: "lost \(statistics.lost), late \(statistics.late)",
                threshold: "lost none, late at most 1 in \(latePacketsIn)",
                holds: statistics.receivedPackets > 0 && statistics.lost == 0
                    && statistics.late <= statistics.receivedPackets / latePacketsIn),
            Check(
                name: "\(direction.name) jitter", measured: "\(fixed(statistics.jitterMilliseconds, 1)) ms",
                threshold: "<= \(Int(highestJitter)) ms", holds: statistics.jitterMilliseconds <= highestJitter),
        ]
    }

    var passes: Bool { problem == nil && checks.allSatisfy(\.holds) }

    /// What the command leaves with.
    var exit: ExitStatus { passes ? .success : problem == nil ? .expectationFailed : .noMedia }

    static func milliseconds(_ duration: Duration?) -> String {
        duration.map { "\(fixed($0.milliseconds, 1)) ms" } ?? "not measured"
    }

    static func fixed(_ value: Double, _ places: Int) -> String {
        JSON.fixed(value, places: places) ?? "?"
    }
}

/// Mouth to ear, and who owns which part of it.
struct LatencySplit: Equatable, Sendable {
    /// Waiting for the packet to fill.
    var frame: Double
    /// The look-ahead of the codec, or its filters.
    var codec: Double
    /// From the one socket to the other.
    var network: Double
    /// What the jitter buffer held back.
    var buffer: Double
    var device: Double
    var total: Double

    /// What no other part explains: phases of clocks, and scheduling.
    var rest: Double { total - frame - codec - network - buffer - device }

    init?(_ direction: LoopbackReport.Direction) {
        guard let latency = direction.hearing.latency, let transit = direction.network else { return nil }
        total = latency.milliseconds
        frame = Double(direction.packetTime)
        codec = direction.statistics.receiveCodec?.delay.milliseconds ?? 0
        network = transit.milliseconds
        buffer = direction.statistics.bufferMilliseconds
        device = direction.deviceMilliseconds
    }
}
