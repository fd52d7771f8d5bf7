import EngineKit
import Glibc
import Proofs
import Testing

@testable import MediaRuntime

@Suite struct RTPPortAllocatorTests {
    @Test func bindsAnEvenPortAndTheNextOne() throws {
        let allocator = RTPPortAllocator(random: RandomSource(seed: 7))
        let ports = try allocator.allocate(address: .loopback, at: .zero)
        #expect(ports.rtp.port % 2 == 0 && ports.rtcp.port == ports.rtp.port + 1)
        #expect(RTPPortAllocator.standardRange.contains(ports.rtp.port))
    }

    @Test(.proves(.rule(23))) func drawsItsFirstPortAtRandom() throws {
        let ports = try (1...16).map { seed in
            try RTPPortAllocator(random: RandomSource(seed: seed)).allocate(address: .loopback, at: .zero).rtp.port
        }
        #expect(Set(ports).count > 12)
    }

    @Test func letsAPairRestForTenSeconds() throws {
        let allocator = RTPPortAllocator(range: 41_001...41_004, random: RandomSource(seed: 7))
        let first = try allocator.allocate(address: .loopback, at: .zero).rtp
        #expect(first.port == 41_002)
        let now = MonotonicClock.now
        #expect(throws: SystemError.self) { try allocator.allocate(address: .loopback, at: now + .seconds(9)) }
        #expect(try allocator.allocate(address: .loopback, at: now + .seconds(11)).rtp == first)
    }

    @Test func saysThatAnAddressIsNotOurs() {
        let allocator = RTPPortAllocator(random: RandomSource(seed: 7))
        let error = #expect(throws: SystemError.self) {
            try allocator.allocate(address: .v4(0xc000_0201), at: .zero)
        }
        #expect(error?.code == EADDRNOTAVAIL)
    }
}
