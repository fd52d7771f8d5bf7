import EngineKit
import Testing

@testable import RTPMedia

struct PayloadRingTests {
    private func append(_ octets: [UInt8], to ring: inout PayloadRing) -> Int {
        let piece = ring.append(atMost: octets.count) { memory in
            for index in octets.indices { memory[index] = octets[index] }
            return octets.count
        }
        #expect(piece?.length == octets.count)
        return piece?.position ?? -1
    }

    /// A thousand packets of any length against a list of all of them: what is said to be kept is, and the newest are.
    @Test(arguments: [UInt64(1), 2, 3])
    func keepsTheNewest(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var ring = PayloadRing(capacity: 4_000)
        var all: [(position: Int, octets: [UInt8])] = []
        for _ in 0..<1_000 {
            let octets = randomBytes(Int.random(in: 0...RTPPacket.maximumLength, using: &random), &random)
            all.append((append(octets, to: &ring), octets))
            var behind = 0
            for packet in all.reversed() {
                behind += packet.octets.count
                // Of what is left out at the end less than one of the longest.
                let isKept = ring.isKept(packet.position)
                #expect(isKept || behind + RTPPacket.maximumLength > 4_000)
                guard isKept else { break }
                #expect(Array(ring.octets(at: packet.position, length: packet.octets.count)) == packet.octets)
            }
        }
    }

    @Test func whatIsNotWrittenTakesNoRoom() {
        var ring = PayloadRing(capacity: 0)
        let first = append([1, 2, 3], to: &ring)
        for length in [nil, 101, -1] {
            let piece = ring.append(atMost: 100) { _ in length }
            #expect(piece == nil)
        }
        #expect(append([4], to: &ring) == first + 3)
        let (fits, doesNot) = (
            ring.hasRoom(for: 1_496, behind: first), ring.hasRoom(for: 1_497, behind: first)
        )
        #expect(fits && !doesNot)
    }
}
