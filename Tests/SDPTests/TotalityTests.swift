import EngineKit
import Proofs
import Testing

@testable import SDP

/// Any bytes give a description or an error, and any description an answer or an error; never a trap.
@Suite struct TotalityTests {
    static let sample = wire(
        SessionDescriptionTests.sample + ["m=audio 9 RTP/AVP 0 8 101", "a=rtcp:9 IN IP4 192.0.2.3"])

    @Test(.proves(.incident(7), .rule(13)))
    func takesADescriptionCutAtEveryByte() {
        for end in Self.sample.indices { exercise(Array(Self.sample[..<end])) }
    }

    @Test(.proves(.incident(33), .incident(34)))
    func takesEveryByteInEveryPlace() {
        for index in Self.sample.indices {
            for byte: UInt8 in [0, 1, 9, 10, 13, 32, 47, 48, 57, 58, 61, 127, 128, 255] {
                var bytes = Self.sample
                bytes[index] = byte
                exercise(bytes)
            }
        }
    }

    @Test(.proves(.incident(7), .incident(33)), arguments: [1, 2, 3, 4] as [UInt64])
    func survivesRandomMutations(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var parsed = 0
        for _ in 0..<4_000 { parsed += exercise(mutated(Self.sample, with: &random)) ? 1 : 0 }
        // Enough get past the parser for the negotiation to be tried as well.
        #expect(parsed > 40)
    }
}

/// Parses, writes, offers, answers; says whether the description was answered.
@discardableResult
func exercise(_ bytes: [UInt8]) -> Bool {
    guard let description = try? SessionDescription(parsing: bytes) else { return false }
    #expect(description.bytes() == bytes)

    var offering = negotiation()
    if (try? offering.makeOffer(address: ourAddress)) != nil {
        _ = try? offering.receiveAnswer(description)
    }
    var answering = negotiation()
    answering.targets = MediaTargetPolicy(signallingSource: peerAddress)
    guard (try? answering.receiveOffer(description)) != nil,
        let (answer, media) = try? answering.makeAnswer(address: ourAddress)
    else { return false }
    #expect((try? SessionDescription(parsing: answer.bytes())) == answer)
    #expect(answer.media.count == description.media.count)
    #expect((3...120).contains(media.ptime))
    #expect((media.receiveFormats + media.receiveTelephoneEvents).allSatisfy { $0.payloadType < 128 })
    return true
}

/// One to six changes: a flipped bit, a byte, a cut, a run taken twice or taken out, a number made huge.
func mutated(_ bytes: [UInt8], with random: inout RandomSource) -> [UInt8] {
    var bytes = bytes
    for _ in 0...Int.random(in: 0..<6, using: &random) where !bytes.isEmpty {
        let index = Int.random(in: bytes.indices, using: &random)
        let end = min(bytes.endIndex, index + Int.random(in: 1...40, using: &random))
        switch Int.random(in: 0..<7, using: &random) {
        case 0: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes[index] = UInt8.random(in: 0...255, using: &random)
        case 2: bytes.removeSubrange(index..<end)
        case 3: bytes.insert(contentsOf: bytes[index..<end], at: index)
        case 4: bytes.insert(contentsOf: Array("99999999999".utf8), at: index)
        case 5: bytes[index] = [0x20, 0x2f, 0x3a, 0x3b, 0x3d].randomElement(using: &random) ?? 0
        default: if Int.random(in: 0..<8, using: &random) == 0 { bytes.removeSubrange(index...) }
        }
    }
    return bytes
}
