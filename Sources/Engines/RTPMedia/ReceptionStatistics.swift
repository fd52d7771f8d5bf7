import EngineKit

/// What a receiver knows about one synchronization source: RFC 3550 A.1 (validity and wrap of the sequence number),
/// A.3 (loss) and A.8 (jitter).
package struct ReceptionStatistics: Sendable {
    private static let maximumDropout = 3_000
    private static let maximumMisorder = 100
    private static let sequenceModulus: UInt32 = 1 << 16
    /// Packets in sequence before a source is believed.
    package static let minimumSequential = 2

    package enum Outcome: Equatable, Sendable {
        case valid
        /// The source has not yet shown `minimumSequential` packets in sequence.
        case onProbation
        /// Far off the sequence: dropped, and believed if the next packet follows it.
        case outOfRange
        /// The second packet of a new sequence: everything starts over from it.
        case restarted
    }

    private var maximumSequence: SequenceNumber
    private var cycles: UInt32 = 0
    private var baseSequence: UInt32
    private var badSequence: UInt32
    private var probation: Int
    private var received: UInt32 = 0
    private var duplicates: UInt32 = 0
    private var expectedPrior: UInt32 = 0
    private var receivedPrior: UInt32 = 0
    /// Interarrival jitter over all packets, in ticks of the RTP clock.
    package private(set) var jitter = JitterEstimate()

    /// - Parameter isBelieved: the first packet counts at once, without probation.
    package init(first sequence: SequenceNumber, isBelieved: Bool) {
        maximumSequence = sequence.advanced(by: -1)
        baseSequence = UInt32(sequence.rawValue)
        badSequence = Self.sequenceModulus + 1
        probation = isBelieved ? 0 : Self.minimumSequential
        if isBelieved { start(at: sequence) }
    }

    package var isBelieved: Bool { probation == 0 }

    /// The number that would come next.
    package var nextSequence: SequenceNumber { maximumSequence.advanced(by: 1) }

    /// `update_seq` of A.1.
    package mutating func receive(_ sequence: SequenceNumber) -> Outcome {
        let delta = Int(sequence.rawValue &- maximumSequence.rawValue)
        if probation > 0 {
            guard delta == 1 else {
                probation = Self.minimumSequential - 1
                maximumSequence = sequence
                return .onProbation
            }
            probation -= 1
            maximumSequence = sequence
            guard probation == 0 else { return .onProbation }
            start(at: sequence)
            received &+= 1
            return .valid
        }
        if delta < Self.maximumDropout {
            if sequence.rawValue < maximumSequence.rawValue { cycles &+= Self.sequenceModulus }
            maximumSequence = sequence
        } else if delta <= Int(Self.sequenceModulus) - Self.maximumMisorder {
            guard UInt32(sequence.rawValue) == badSequence else {
                badSequence = UInt32(sequence.advanced(by: 1).rawValue)
                return .outOfRange
            }
            // Two in sequence: the other side restarted without telling us.
            start(at: sequence)
            received &+= 1
            return .restarted
        }
        received &+= 1
        return .valid
    }

    /// `init_seq` of A.1.
    private mutating func start(at sequence: SequenceNumber) {
        baseSequence = UInt32(sequence.rawValue)
        maximumSequence = sequence
        badSequence = Self.sequenceModulus + 1
        cycles = 0
        received = 0
        duplicates = 0
        receivedPrior = 0
        expectedPrior = 0
    }

    /// Takes an arrival into the jitter estimate; see `JitterEstimate`.
    package mutating func measureJitter(timestamp: UInt32, arrival: UInt32) {
        jitter.receive(timestamp: timestamp, arrival: arrival)
    }

    /// The timestamps that follow have nothing to do with those before.
    package mutating func interruptJitter() {
        jitter.interrupt()
    }

    package var extendedMaximum: UInt32 { cycles &+ UInt32(maximumSequence.rawValue) }

    package var expected: UInt32 { extendedMaximum &- baseSequence &+ 1 }

    /// Expected less received, as A.3 has it: duplicates make it smaller, also negative; 24 bits signed.
    package var cumulativeLost: Int32 {
        let lost = Int64(expected) - Int64(received)
        return Int32(max(-0x80_0000, min(0x7f_ffff, lost)))
    }

    /// Packets that never came, so that a duplicate does not stand in for a lost one.
    package var missing: UInt32 {
        let distinct = received &- duplicates
        return expected > distinct ? expected - distinct : 0
    }

    package mutating func noteDuplicate() {
        duplicates &+= 1
    }

    /// The fraction lost since this was last asked, in 1/256 (A.3).
    package mutating func takeFractionLost() -> UInt8 {
        let expectedInterval = expected &- expectedPrior
        let receivedInterval = received &- receivedPrior
        expectedPrior = expected
        receivedPrior = received
        let lost = Int64(expectedInterval) - Int64(receivedInterval)
        guard expectedInterval > 0, lost > 0 else { return 0 }
        return UInt8(clamping: lost << 8 / Int64(expectedInterval))
    }
}

/// The mean deviation of interarrival times (RFC 3550 §6.4.1 and A.8), in ticks of the RTP clock.
package struct JitterEstimate: Sendable {
    private var transit: UInt32?
    package private(set) var ticks = 0.0

    package init() {}

    /// - Parameter arrival: when the packet came, in the same ticks as its timestamp, from any origin.
    package mutating func receive(timestamp: UInt32, arrival: UInt32) {
        let transit = arrival &- timestamp
        defer { self.transit = transit }
        guard let before = self.transit else { return }
        let difference = abs(Double(Int32(bitPattern: transit &- before)))
        ticks += (difference - ticks) / 16
    }

    /// Forgets the last arrival, not the estimate: the next timestamp has nothing to do with the last.
    package mutating func interrupt() {
        transit = nil
    }

    /// As a report block carries it.
    package var reported: UInt32 {
        UInt32(max(0, min(ticks, Double(UInt32.max))))
    }

    /// An instant in ticks of a clock of `rate`, wrapping.
    package static func ticks(of instant: Instant, rate: UInt32) -> UInt32 {
        let (seconds, rest) = instant.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let ticks = seconds &* Int64(rate) &+ rest * Int64(rate) / 1_000_000_000
        return UInt32(truncatingIfNeeded: ticks)
    }
}
