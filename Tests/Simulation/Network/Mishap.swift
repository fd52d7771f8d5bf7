import EngineKit

/// Which datagram of a run: who sends what to whom, and when. Leaving something else out of the run does not rename it.
package struct DatagramKey: Hashable, Comparable, Sendable {
    package var sender: String
    package var receiver: String
    package var summary: String
    package var at: Instant
    /// Counts equal ones of the same instant.
    package var copy: Int

    package static func < (left: DatagramKey, right: DatagramKey) -> Bool {
        (left.at, left.sender, left.receiver, left.summary, left.copy)
            < (right.at, right.sender, right.receiver, right.summary, right.copy)
    }

    /// A number that the key alone decides.
    var fingerprint: UInt64 {
        var fingerprint = Fingerprint()
        fingerprint.add(sender)
        fingerprint.add(receiver)
        fingerprint.add(summary)
        fingerprint.add(UInt64(bitPattern: at.nanoseconds))
        fingerprint.add(UInt64(bitPattern: Int64(copy)))
        return fingerprint.value
    }
}

extension DatagramKey: CustomStringConvertible {
    package var description: String {
        "\(Ladder.clock(at)) \(sender) -> \(receiver)  \(summary)\(copy == 0 ? "" : " (\(copy + 1))")"
    }
}

/// What becomes of a datagram that does not simply arrive.
package enum Mishap: Hashable, Sendable {
    case lost
    /// A copy arrives that much later than the first.
    case doubled(after: Duration)
    /// It takes that much longer, so that others overtake it.
    case late(by: Duration)
    case corrupted(Corruption)

    package enum Corruption: Hashable, Sendable {
        /// One bit is turned over, counted from the first.
        case bit(Int)
        /// Only so many octets arrive.
        case truncated(Int)
        /// Behind so many octets the rest is that of the datagram before.
        case spliced(Int)
    }
}

extension Mishap: CustomStringConvertible {
    package var description: String {
        switch self {
        case .lost: "lost"
        case .doubled(let delay): "twice, the second \(Ladder.clock(.zero + delay)) later"
        case .late(let delay): "\(Ladder.clock(.zero + delay)) late"
        case .corrupted(.bit(let index)): "with bit \(index) turned over"
        case .corrupted(.truncated(let count)): "cut off behind \(count) octets"
        case .corrupted(.spliced(let count)): "with another's rest behind \(count) octets"
        }
    }
}
