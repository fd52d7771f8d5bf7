import EngineKit
import Proofs
import SIPMessages
import SIPUserAgent
import Testing

/// What peers match us by, which nobody else may guess.
@Suite struct IdentifierTests {
    /// The tag, the Call-ID and the branch of the first INVITE of a phone whose random numbers begin with `seed`.
    private func identifiers(seed: UInt64) throws -> [String] {
        var world = World()
        world.add("alice", at: "192.0.2.1", seed: seed)
        world.addScripted("carol", at: "192.0.2.9")
        world.perform(
            .call(caller, OutgoingCall(target: try target("sip:carol@192.0.2.9"), media: World.media)), by: "alice")
        world.run(for: .milliseconds(20))
        let invite = try #require(world.last(.invite, at: "carol"))
        let branch = try #require(invite.vias.first?.branch)
        return [try #require(invite.from.tag), String(invite.callID.prefix { $0 != "@" }), String(branch.dropFirst(7))]
    }

    @Test(.proves(.rule(23), .clause("RFC 3261 §19.3")))
    func tagsCallIDsAndBranchesAreLongAndAllFromTheSeed() throws {
        let drawn = try (1...64).map { try identifiers(seed: $0) }
        for kind in drawn[0].indices {
            let texts = drawn.map { $0[kind] }
            #expect(Set(texts).count == texts.count)
            // 64 bits at least, in hexadecimal.
            #expect(texts.allSatisfy { $0.utf8.count >= 16 && $0.allSatisfy(\.isHexDigit) }, "\(texts[0])")
            // No place of the text is the same each time.
            for place in 0..<16 { #expect(Set(texts.map { Array($0)[place] }).count > 4) }
        }
    }
}
