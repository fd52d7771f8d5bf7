import RTPMedia

/// What the media of a call must come to at its end, of the figures in its statistics.
package struct QualityRequirements: Equatable, Sendable {
    /// MOS-LQ, 1 ... 4.5.
    package var minimumMOS: Double?
    /// Percent of the packets that were expected.
    package var maximumLoss: Double?
    /// Interarrival jitter (RFC 3550 §6.4.1).
    package var maximumJitter: Duration?
    /// From mouth to ear, as far as a phone knows it.
    package var maximumLatency: Duration?

    package init() {}

    static let opinions = 1.0...4.5

    /// What does not hold, each for the person who asked. What could not be measured does not hold.
    func faults(in statistics: MediaStatistics?) -> [String] {
        var faults: [String] = []
        // Of packets that nobody could play nothing was measured.
        let heard = statistics.flatMap { $0.receiveCodec == nil ? nil : $0 }
        func demand(_ name: String, _ measured: Double?, _ unit: String, _ places: Int, atLeast least: Double) {
            if let measured, measured >= least { return }
            faults.append("\(name) \(text(measured, unit, places)), expected at least \(text(least, unit, places))")
        }
        func demand(_ name: String, _ measured: Double?, _ unit: String, _ places: Int, atMost most: Double) {
            if let measured, measured <= most { return }
            faults.append("\(name) \(text(measured, unit, places)), expected at most \(text(most, unit, places))")
        }
        if let minimumMOS { demand("MOS", statistics?.listeningMOS, "", 2, atLeast: minimumMOS) }
        if let maximumLoss {
            let loss = heard.flatMap { $0.expected > 0 ? $0.lossPercent : nil }
            demand("loss", loss, " %", 2, atMost: maximumLoss)
        }
        if let maximumJitter {
            demand("jitter", heard?.jitterMilliseconds, " ms", 1, atMost: maximumJitter.milliseconds)
        }
        if let maximumLatency {
            demand("latency", statistics?.latencyMilliseconds, " ms", 1, atMost: maximumLatency.milliseconds)
        }
        return faults
    }

    private func text(_ value: Double?, _ unit: String, _ places: Int) -> String {
        value.flatMap { JSON.fixed($0, places: places) }.map { $0 + unit } ?? "not measured"
    }
}
