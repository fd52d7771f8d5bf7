import Proofs
import SIPMessages
import Testing

/// The 49 messages of RFC 4475 through the parser and the validation, against the handling that the index names.
@Suite(.enabled(if: Corpora.arePresent, "\(Corpora.absence)"))
struct TortureTests {
    /// A registrar's capabilities too, as a fourth of the messages are REGISTER; MESSAGE with what it carries.
    private static let capabilities = Capabilities(
        methods: [.invite, .ack, .cancel, .bye, .options, .register, .message],
        contentTypes: [.sdp, ContentType("text", "plain"), ContentType("multipart", "mixed")])

    @Test(.proves(.clause("RFC 4475 §3")))
    func everyMessageIsHandledAsExpected() throws {
        let rows = Corpora.index("rfc4475").filter { $0["validity"] != "unlisted" }
        try #require(rows.count == 49)
        var differing: [String] = []
        for row in rows {
            let name = try #require(row["name"])
            let bytes = try #require(Corpora.bytes("rfc4475/\(name).dat"))
            let outcome = Self.outcome(bytes)
            // 200 and 401 are for a registrar to decide; here it is enough that nothing stands in the way.
            let expected = try #require(row["expected_ua"]).split(separator: "|").map {
                $0 == "200" || $0 == "401" ? "accept" : String($0)
            }
            if !expected.contains(outcome) { differing.append("\(name): \(outcome), not \(expected)") }
        }
        #expect(differing == [])
    }

    /// What a user agent does with the octets of one datagram: accept, ignore, or a status.
    private static func outcome(_ bytes: [UInt8]) -> String {
        do throws(ParseError) {
            switch try MessageParser.parse(bytes) {
            case .response(let response):
                return Validation.reasonToDiscard(response) == nil ? "accept" : "ignore"
            case .request(let request):
                return Validation.violations(of: request, capabilities).first?.status.description ?? "accept"
            }
        } catch {
            return error.owedResponse?.status.description ?? "ignore"
        }
    }
}
