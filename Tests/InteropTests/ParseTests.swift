import FoundationEssentials
import Proofs
import Testing

/// `offhook parse` over the torture messages: each is explained, and owed what the indexes say.
@Suite(.enabled(if: Corpora.arePresent, "\(Corpora.absence)"))
struct ParseTests {
    private struct Explanation: Decodable {
        struct Entry: Decodable {
            var kind: String
            var text: String
            var clause: String?
        }

        var ok: Bool
        var answer: Int?
        var entries: [Entry]

        /// In the words of the indexes.
        var outcome: String { answer.map(String.init) ?? (ok ? "accept" : "ignore") }
    }

    /// Well-formed, and yet against a rule: a REGISTER for what is no SIP address (RFC 3261 §10.2), and a response with the
    /// Via of somebody else (§8.1.3.3).
    private static let faultyToTheirRecipient = ["unksm2", "bcast"]

    @Test(.proves(.clause("RFC 4475 §3"), .clause("RFC 5118 §4")), arguments: ["rfc4475", "rfc5118"])
    func saysWhatEachTortureMessageIsOwed(_ group: String) async throws {
        var differences: [String] = []
        for row in Corpora.index(group) where row["validity"] != "unlisted" {
            let name = try #require(row["name"])
            let program = try Program([try Phone.binary, "parse", "--json", Corpora.path("\(group)/\(name).dat")])
            let status = try await program.end()
            let line = try #require(program.output.first, "\(name)")
            let explanation = try JSONDecoder().decode(Explanation.self, from: Data(line.utf8))
            #expect(status == (explanation.ok ? 0 : 65), "\(name)")
            #expect(!explanation.entries.isEmpty, "\(name)")
            for fault in explanation.entries where fault.kind == "fault" {
                #expect(!fault.text.isEmpty && fault.clause?.hasPrefix("RFC ") == true, "\(name)")
            }
            var allowed = try #require(row["expected_ua"]).split(separator: "|").map(String.init)
            // A user agent is no registrar, and need not read every part of a message (RFC 4475 §3.1.1.11).
            let message = Corpora.bytes("\(group)/\(name).dat") ?? []
            if message.starts(with: Array("REGISTER".utf8)) { allowed.append("405") }
            if name == "mpart01" { allowed.append("415") }
            // Three copies say another length than their bodies have; others stand for them.
            if Corpora.bytes("\(group)/\(name).clfixed.dat") != nil { continue }
            if row["validity"] == "valid", !explanation.ok, !Self.faultyToTheirRecipient.contains(name) {
                differences.append("\(name): no fault of the message")
            }
            if !allowed.contains(explanation.outcome) {
                differences.append("\(name): \(explanation.outcome), not \(allowed)")
            }
        }
        #expect(differences == [])
    }

    @Test func saysWhyADescriptionIsRefused() async throws {
        let template = try #require(
            Corpora.files("sdp", endingIn: ".sdp").first { $0.hasSuffix("75949a4e9314.sdp") })
        let program = try Program([try Phone.binary, "parse", "--sdp", Corpora.path(template)])
        #expect(try await program.end() == 65)
        #expect(program.output.contains { $0.hasSuffix("a malformed o= line (RFC 8866 §9)") })
    }
}
