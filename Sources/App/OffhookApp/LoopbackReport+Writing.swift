import EngineKit

/// The report for people, and for scripts.
extension LoopbackReport {
    /// - Parameter isUnicode: arrows, or what ASCII has for them.
    func text(isUnicode: Bool) -> String {
        let (right, left, both, dots) = isUnicode ? ("▶", "◀", "⇄", "…") : (">", "<", "<->", "...")
        var lines = [
            "offhook loopback   A \(addresses.caller)  \(both)  B \(addresses.callee)   \(codec), audio \(audio)"
        ]
        if let problem {
            lines += ["  \(problem)", "  FAIL"]
            return lines.joined(separator: "\n") + "\n"
        }
        var steps: [String] = []
        for step in ladder {
            if step.text == "BYE" { steps.append(dots) }
            steps.append(step.isFromCaller ? "\(step.text) \(right)" : "\(left) \(step.text)")
        }
        lines.append("  ladder     \(steps.joined(separator: "  "))   \(Self.milliseconds(setUp)) to answer")
        for direction in directions { lines += text(of: direction, isUnicode: isUnicode) }
        let checks = checks
        lines.append("  checks")
        let width = checks.map(\.name.count).max() ?? 0
        for check in checks {
            let name = Self.padded(check.displayName(isUnicode: isUnicode), to: width)
            lines.append(
                "    \(check.holds ? "ok  " : "FAIL")  \(name)  \(check.measured)  (\(check.threshold))")
        }
        let failed = checks.count { !$0.holds }
        lines.append(
            "  \(passes ? "PASS" : "FAIL")       \(checks.count) checks, \(failed) failed, in \(Self.fixed(elapsed.inSeconds, 1)) s"
        )
        return lines.joined(separator: "\n") + "\n"
    }

    private func text(of direction: Direction, isUnicode: Bool) -> [String] {
        let name = isUnicode ? direction.name : direction.name.inASCII
        let hearing = direction.hearing
        let statistics = direction.statistics
        let found = hearing.windowsWithTone == hearing.windows && hearing.windows > 0
        var lines = [
            "  \(name)      tone \(Int(direction.signal.tone)) Hz \(found ? "found" : "incomplete") "
                + "(\(Self.fixed(hearing.level, 1)) dBFS)   lost \(statistics.lost)/\(statistics.expected)   "
                + "late \(statistics.late)   jitter \(Self.fixed(statistics.jitterMilliseconds, 1)) ms"
        ]
        if let split = LatencySplit(direction) {
            lines.append(
                "             latency \(Self.fixed(split.total, 1)) ms = frame \(Self.fixed(split.frame, 1)) "
                    + "+ codec \(Self.fixed(split.codec, 1)) + network \(Self.fixed(split.network, 2)) + buffer \(Self.fixed(split.buffer, 1)) "
                    + "+ device \(Self.fixed(split.device, 1)) + rest \(Self.fixed(split.rest, 1))")
        }
        return lines
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// One object a line, as all events are; `verdict` follows it.
    var json: [JSON.Member] {
        [
            .init("codec", .string(codec)), .init("audio", .string(audio)),
            .init("setup_ms", setUp.map { .decimal($0.milliseconds, places: 1) } ?? .null),
            .init(
                "ladder",
                .array(
                    ladder.map { step in
                        .object([
                            .init("message", .string(step.text)), .init("from", .string(step.isFromCaller ? "A" : "B")),
                            .init("ms", .decimal(step.at.milliseconds, places: 1)),
                        ])
                    })),
            .init("directions", .array(directions.map { json(of: $0) })),
            .init(
                "checks",
                .array(
                    checks.map { check in
                        .object([
                            .init("name", .string(check.name.inASCII)), .init("measured", .string(check.measured)),
                            .init("threshold", .string(check.threshold)), .init("ok", .bool(check.holds)),
                        ])
                    })),
            .init("problem", problem.map { .string($0) } ?? .null),
        ]
    }

    private func json(of direction: Direction) -> JSON {
        // Those of the end would be of the silence behind the signal.
        var statistics = direction.statistics
        (statistics.sentLevel, statistics.heardLevel) = (direction.signal.level, direction.hearing.level)
        var members: [JSON.Member] = [
            .init("name", .string(direction.name.inASCII)),
            .init("tone_hz", .decimal(direction.signal.tone, places: 0)),
            .init("windows", .integer(direction.hearing.windows)),
            .init("windows_with_tone", .integer(direction.hearing.windowsWithTone)),
            .init("level_dbfs", .decimal(direction.hearing.level, places: 2)),
            .init("packets_sent", .integer(direction.sentPackets)), .init("stats", statistics.json),
        ]
        if let split = LatencySplit(direction) {
            members.append(
                .init(
                    "latency_ms",
                    .object([
                        .init("total", .decimal(split.total, places: 2)),
                        .init("frame", .decimal(split.frame, places: 1)),
                        .init("codec", .decimal(split.codec, places: 1)),
                        .init("network", .decimal(split.network, places: 2)),
                        .init("buffer", .decimal(split.buffer, places: 1)),
                        .init("device", .decimal(split.device, places: 1)),
                        .init("rest", .decimal(split.rest, places: 2)),
                    ])))
        }
        return .object(members)
    }
}

extension LoopbackReport.Check {
    fileprivate func displayName(isUnicode: Bool) -> String {
        isUnicode ? name : name.inASCII
    }
}

extension String {
    fileprivate var inASCII: String { replacing("→", with: "->") }
}
