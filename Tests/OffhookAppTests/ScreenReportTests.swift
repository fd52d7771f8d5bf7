import Proofs
import SIPMessages
import SIPUserAgent
import TerminalUI
import Testing

@testable import OffhookApp

/// What the full-screen phone is told.
struct ScreenReportTests {
    private func end(callTo peer: String, _ targets: String...) throws -> TerminalUI.CallEnd {
        let end = SIPUserAgent.CallEnd(
            cause: .refused, by: .remote, status: 302, reason: "Moved",
            redirections: try targets.map { try URI(parsing: $0) })
        return try shown(end, ofCallTo: peer)
    }

    private func shown(
        _ end: SIPUserAgent.CallEnd, ofCallTo peer: String, after duration: Duration? = nil
    ) throws -> TerminalUI.CallEnd {
        let call = CallIdentity(
            handle: CallHandle(rawValue: 1), number: 1, callID: nil, account: "work", peer: peer)
        let events = PhoneReport.call(call, .ended(end, duration: duration, nil)).screenEvents
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

    /// Who talked for a while has no wrong address.
    @Test func silenceIsNoFaultOfTheAddressOnceTheCallWasAnswered() throws {
        let end = SIPUserAgent.CallEnd(cause: .timedOut, by: .local, reason: "timed out, udp 192.0.2.7:5060")
        let cures = try [nil, Duration.seconds(60)].map {
            try shown(end, ofCallTo: "sip:bob@example.com", after: $0).cure
        }
        #expect(
            cures == [
                "Check the address and port; a firewall may drop SIP.",
                "The peer or the network to it is gone; call again.",
            ])
    }

    @Test(
        arguments: [
            (nil, "the change did not get through"), (488, "the change was refused: 488 Not Acceptable Here"),
            (200, "what the peer answered to the change can't be used"),
        ] as [(Int?, String)])
    func aChangeThatCameToNothingSaysWhy(status: Int?, text: String) throws {
        #expect(CallOccurrence.modifyFailure(status.flatMap { StatusCode($0) }) == text)
    }
}
