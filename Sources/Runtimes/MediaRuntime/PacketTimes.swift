import EngineKit
import RTPMedia
import Synchronization

/// When the RTP packets of one phone passed its socket, by their sequence numbers: the departures of one and the
/// arrivals at another, on one clock, show what the network took of the way.
///
/// The media thread writes above the published count, everybody else reads below it; the memory never moves.
package final class PacketTimes: @unchecked Sendable {
    /// What comes after so many packets is not noted: 20 s of packets of 20 ms.
    private static let capacity = 1_000

    private let sequences: UnsafeMutableBufferPointer<SequenceNumber>
    private let times: UnsafeMutableBufferPointer<Instant>
    private let count = Atomic<Int>(0)

    init() {
        sequences = .allocate(capacity: Self.capacity)
        sequences.initialize(repeating: SequenceNumber(0))
        times = .allocate(capacity: Self.capacity)
        times.initialize(repeating: .zero)
    }

    deinit {
        sequences.deallocate()
        times.deallocate()
    }

    /// Notes a packet that passes at an instant. On the media thread.
    func note(_ bytes: Span<UInt8>, at instant: Instant) {
        let place = count.load(ordering: .relaxed)
        guard place < Self.capacity, let packet = try? RTPPacket(parsing: bytes) else { return }
        sequences[place] = packet.sequenceNumber
        times[place] = instant
        count.store(place + 1, ordering: .releasing)
    }

    /// The mean time that the packets took from here to there; nil where none arrived.
    package func meanTransit(to arrivals: PacketTimes) -> Duration? {
        let departed = Dictionary(noted, uniquingKeysWith: { first, _ in first })
        let transits = arrivals.noted.compactMap { sequence, arrival in
            departed[sequence].map { (arrival - $0).saturatedNanoseconds }
        }
        guard !transits.isEmpty else { return nil }
        return .nanoseconds(transits.reduce(0, +) / Int64(transits.count))
    }

    private var noted: [(SequenceNumber, Instant)] {
        (0..<count.load(ordering: .acquiring)).map { (sequences[$0], times[$0]) }
    }
}
