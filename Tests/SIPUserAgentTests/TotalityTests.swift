import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Whatever arrives, in whatever state: no trap, bounded state, and nothing left in the end.
@Suite struct TotalityTests {
    @Test(.proves(.clause("RFC 4475 §3")), .enabled(if: Corpora.arePresent, "\(Corpora.absence)"))
    func takesTheTortureMessages() throws {
        let files = Corpora.files("rfc4475", endingIn: ".dat")
        try #require(files.count >= 40)
        for name in files {
            let bytes = try #require(Corpora.bytes(name))
            var world = bobAndCarol()
            for _ in 0..<2 { world.send(bytes: bytes, from: "carol", to: "bob") }
            world.run(for: .seconds(1))
            // One call at most, and one answer for each kind: none of these is worth more.
            #expect(world.story(of: "bob").filter { $0 == "incomingCall" }.count <= 1, "\(name)")
            world.perform(.shutDown, by: "bob")
            world.run(for: .seconds(200))
            #expect(world.cores["bob"]?.occupancy == .empty, "\(name)")
        }
    }

    /// Damages the messages of a call on their way: bits, cuts, splices.
    @Test(.proves(.incident(38), .incident(76)))
    func survivesDamagedMessagesInEveryState() throws {
        for seed in 1...60 as ClosedRange<UInt64> {
            var random = RandomSource(seed: seed)
            var world = aliceAndBob()
            world.addScripted("carol", at: "192.0.2.9")
            var seen: [[UInt8]] = []
            func disturb(_ world: inout World) {
                seen = world.ladder.map { $0.message.bytes() }
                for _ in 0..<20 {
                    guard let original = seen.randomElement(using: &random) else { return }
                    let other = seen.randomElement(using: &random) ?? original
                    let bytes = damaged(original, other, &random)
                    let source = ["alice", "bob", "carol"].randomElement(using: &random) ?? "carol"
                    let target = source == "alice" ? "bob" : "alice"
                    world.send(bytes: bytes, from: source, to: target)
                }
                world.run(for: .milliseconds(Int64.random(in: 0...3000, using: &random)))
            }
            world.perform(
                .call(caller, OutgoingCall(target: try target("sip:bob@192.0.2.2"), media: World.media)), by: "alice")
            disturb(&world)
            if let handle = world.incoming(at: "bob") { world.perform(.ring(handle), by: "bob") }
            disturb(&world)
            if let handle = world.incoming(at: "bob") { world.perform(.answer(handle, World.media), by: "bob") }
            disturb(&world)
            world.perform(.hold(caller), by: "alice")
            disturb(&world)
            world.perform(.shutDown, by: "alice")
            disturb(&world)
            world.perform(.shutDown, by: "bob")
            world.run(for: .seconds(300))
            #expect(world.cores["alice"]?.occupancy == .empty, "seed \(seed)")
            #expect(world.cores["bob"]?.occupancy == .empty, "seed \(seed)")
        }
    }

    private func damaged(_ original: [UInt8], _ other: [UInt8], _ random: inout RandomSource) -> [UInt8] {
        var bytes = original
        switch Int.random(in: 0..<5, using: &random) {
        case 0:
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
        case 1:
            bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
        case 2:
            let cut = Int.random(in: 0...min(bytes.count, other.count), using: &random)
            bytes = Array(bytes.prefix(cut) + other.dropFirst(cut))
        case 3:
            // Another tag, branch or number: digits and letters change, the grammar stays.
            for index in bytes.indices where Int.random(in: 0..<60, using: &random) == 0 {
                if (0x30...0x39).contains(bytes[index]) { bytes[index] = UInt8.random(in: 0x30...0x39, using: &random) }
                if (0x61...0x66).contains(bytes[index]) { bytes[index] = UInt8.random(in: 0x61...0x66, using: &random) }
            }
        default:
            break
        }
        return bytes
    }

    /// Two runs from one seed say the same, byte for byte.
    @Test func repeatsARunFromItsSeed() throws {
        func run() throws -> [[UInt8]] {
            var world = aliceAndBob()
            let callee = try world.talk()
            world.perform(.hold(caller), by: "alice")
            world.perform(.hold(callee), by: "bob")
            world.run(for: .seconds(10))
            world.perform(.shutDown, by: "alice")
            world.run(for: .seconds(10))
            return world.ladder.map { $0.message.bytes() }
        }
        let first = try run()
        #expect(first.count > 10)
        #expect(try run() == first)
    }
}
