import Proofs
import SIPMessages
import SIPUserAgent
import TerminalUI
import Testing

@testable import OffhookApp

/// What the full-screen phone is told.
struct ScreenReportTests {
    private func end(callTo peer: String, _ targets: String...) throws -> TerminalUI.CallEnd {
        let call = CallIdentity(
            handle: CallHandle(rawValue: 1), number: 1, callID: nil, account: "work", peer: peer)
        let end = SIPUserAgent.CallEnd(
            cause: .refused, by: .remote, status: 302, reason: "Moved",
            redirections: try targets.map { try URI(parsing: $0) })
        let events = PhoneReport.call(call, .ended(end, duration: nil, nil)).screenEvents
        guard case .ended(_, let shown)? = events.first else { throw NotAnEnd() }
        return shown
    }

    private struct NotAnEnd: Error {}

    @Test(.proves(.clause("RFC 3261 §8.1.3.4"), .row(31)))
    func redirectionIsOfferedToThePersonUnlessItIsLessSecure() throws {
        let plain = try end(callTo: "sip:bob@example.com", "sip:carol@example.com", "sip:dan@example.com")
        #expect(plain.redirection == "sip:carol@example.com")
        #expect(plain.cure == "To call carol@example.com instead: d, then up and Enter.")
        let secure = try end(callTo: "sips:bob@example.com", "sip:carol@example.com", "sips:dan@example.com")
        #expect(secure.redirection == "sips:dan@example.com")
        #expect(try end(callTo: "sips:bob@example.com", "sip:carol@example.com").redirection == nil)
        let long = "sip:\(String(repeating: "x", count: 200))@example.com"
        #expect(try end(callTo: "sip:bob@example.com", long).redirection == nil, "half an address is none")
    }
}
