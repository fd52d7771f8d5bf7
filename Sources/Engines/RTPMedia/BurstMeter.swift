/// Tells losses in bursts from lone ones (RFC 3611 §4.7.2): a burst begins and ends with a packet that was not heard, and in
/// it no 16 in a row were. Counts what follows on what, as appendix A.2 does, in the order of the packets.
package struct BurstMeter: Equatable, Sendable {
    /// Packets in a row, all heard, that end a burst.
    static let minimumGap = 16

    /// Of which each that was expected is one.
    private(set) var heard: UInt64 = 0
    private(set) var lost: UInt64 = 0
    private(set) var discarded: UInt64 = 0

    /// Heard since the last that was not.
    private var run: UInt64 = 0
    /// Not heard since the last gap.
    private var missedInRow: UInt64 = 0
    // What followed: in a gap heard packets on each other, and lone losses on them; bursts on gaps; in a burst heard packets
    // on each other, losses on heard ones, and losses on each other.
    private var heardInGap: UInt64 = 0
    private var lossesInGap: UInt64 = 0
    private var bursts: UInt64 = 0
    private var heardInBurst: UInt64 = 0
    private var lossesBehindHeard: UInt64 = 0
    private var lossesBehindLosses: UInt64 = 0

    mutating func hear() {
        heard += 1
        run += 1
    }

    /// Packets that were not there when their time came.
    mutating func miss(_ count: Int = 1) {
        // Sequence numbers are compared within the slots of the buffer.
        for _ in 0..<max(0, count) {
            lost += 1
            if run >= Self.minimumGap {
                if missedInRow == 1 { lossesInGap += 1 } else { bursts += 1 }
                missedInRow = 1
                heardInGap += run
            } else {
                missedInRow += 1
                if run == 0 {
                    lossesBehindLosses += 1
                } else {
                    lossesBehindHeard += 1
                    heardInBurst += run - 1
                }
            }
            run = 0
        }
    }

    /// What was heard last was not, after all.
    mutating func retract() {
        guard heard > 0, run > 0 else { return }
        heard -= 1
        run -= 1
        miss()
    }

    /// One of those that were missed came after all, too late.
    mutating func arriveLate() {
        guard lost > 0 else { return }
        lost -= 1
        discarded += 1
    }

    /// What came of it, of packets of so many milliseconds.
    func report(into metrics: inout VoIPMetrics, packetTime: Double) {
        let expected = heard + lost + discarded
        guard expected > 0 else { return }
        metrics.lossRate = Double(lost) / Double(expected)
        metrics.discardRate = Double(discarded) / Double(expected)
        metrics.minimumGap = UInt8(Self.minimumGap)
        // What is heard now ends the gap or the burst that it is in, for this report.
        var now = self
        if run >= Self.minimumGap || missedInRow == 0 { now.heardInGap += run } else { now.heardInBurst += run }
        now.reportBursts(into: &metrics, packetTime: packetTime)
    }

    private func reportBursts(into metrics: inout VoIPMetrics, packetTime: Double) {
        let behindGap = heardInGap + lossesInGap
        metrics.gapDensity = behindGap == 0 ? 0 : Double(lossesInGap) / Double(behindGap)
        let gapPackets = Double(behindGap + bursts)
        guard bursts > 0 else {
            metrics.gapDuration = Int((gapPackets * packetTime).rounded())
            return
        }
        // As many ways lead out of a burst as into it, and from losses to heard packets as back.
        let (c31, c32) = (bursts, lossesBehindHeard)
        let toHeard = Double(c32) / Double(c31 + c32 + lossesBehindLosses)
        let inBurst = heardInBurst + lossesBehindHeard
        let toLoss = inBurst == 0 ? 1 : 1 - Double(heardInBurst) / Double(inBurst)
        metrics.burstDensity = toLoss + toHeard == 0 ? 0 : toLoss / (toLoss + toHeard)
        let total = Double(behindGap + bursts + inBurst + c31 + c32 + lossesBehindLosses)
        let gap = gapPackets * packetTime / Double(bursts)
        metrics.gapDuration = Int(gap.rounded())
        metrics.burstDuration = Int(max(0, total * packetTime / Double(bursts) - gap).rounded())
    }
}
