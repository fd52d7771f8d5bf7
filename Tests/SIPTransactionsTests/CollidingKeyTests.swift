import EngineKit
import Proofs
import SIPMessages
import Testing

@testable import SIPTransactions

/// Keys that a peer chose so that they fall together in the hash tables of other programs.
@Suite struct CollidingKeyTests {
    /// 4,096 texts with one value under the hash of Bernstein (33 times what is there, plus the octet), which others use.
    private static let texts: [String] = (0..<4096).map { number in
        (0..<12).map { number >> $0 & 1 == 0 ? "Ez" : "FY" }.joined()
    }

    private static func bernstein(_ text: String) -> UInt32 {
        text.utf8.reduce(5381) { $0 &* 33 &+ UInt32($1) }
    }

    @Test(.proves(.incident(44)))
    func keysThatCollideElsewhereAreSpreadHere() throws {
        #expect(Set(Self.texts.map(Self.bernstein)).count == 1)
        var keys: [ServerTransactionKey] = []
        for text in Self.texts {
            var options = try request("OPTIONS")
            options.vias[0].branch = "z9hG4bK\(text)"
            keys.append(try #require(ServerTransactionKey(of: options)))
        }
        #expect(Set(keys).count == keys.count)
        // Of 4,096 values of 64 bits no two are the same; in a table of as many places some share one, as chance has it.
        #expect(Set(keys.map(\.hashValue)).count == keys.count)
        var places: [Int: Int] = [:]
        for key in keys { places[key.hashValue & 4095, default: 0] += 1 }
        #expect(places.values.max() ?? 0 < 16)
    }
}
