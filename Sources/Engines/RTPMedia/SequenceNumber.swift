/// An RTP sequence number: 16 bits that wrap, of which the shorter way around gives the order.
package struct SequenceNumber: Hashable, Sendable, BitwiseCopyable {
    package var rawValue: UInt16

    package init(_ rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// Steps from this number to `other`, -32768...32767.
    package func distance(to other: SequenceNumber) -> Int {
        Int(Int16(bitPattern: other.rawValue &- rawValue))
    }

    package func advanced(by steps: Int) -> SequenceNumber {
        SequenceNumber(rawValue &+ UInt16(truncatingIfNeeded: steps))
    }
}
