import EngineKit
import Logging
import Proofs
import SIPMessages
import Synchronization
import Testing

@testable import MediaRuntime
@testable import OffhookApp
@testable import SIPUserAgent

private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    func append(_ level: Logger.Level, _ text: String) { lines.withLock { $0.append("\(level) \(text)") } }
    var all: [String] { lines.withLock { $0 } }
}

@Suite struct DiagnosticsTests {
    private let lines = Lines()
    private let source = SocketAddress(.v4(0xC000_0209), port: 5060)

    private func diagnostics(_ level: Logger.Level) -> Diagnostics {
        let lines = lines
        return Diagnostics(level) { lines.append($0, $1) }
    }

    @Test(.proves(.rule(11)))
    func tellsOneRefusalOfAKindAMinuteAndCountsTheRest() {
        var diagnostics = diagnostics(.notice)
        for second in 0..<70 {
            diagnostics.note(.refused(.forbidden, from: source), at: .zero + .seconds(second))
        }
        diagnostics.note(.refused(.malformed, from: source), at: .zero + .seconds(70))
        #expect(
            lines.all == [
                "notice " + Refusal.forbidden.sentence(source: source, caller: nil),
                "notice " + Refusal.forbidden.sentence(source: source, caller: nil)
                    + " (59 more of the kind since the last word)",
                "notice something from 192.0.2.9:5060 was refused: it was no SIP message. "
                    + "It is late or a scan, and can be left alone.",
            ])
    }

    @Test func ofARefusedCallItSaysWhoCalled() throws {
        var diagnostics = diagnostics(.notice)
        let caller = try NameAddress(parsing: "\"Carol\" <sip:carol@example.net>;tag=1")
        diagnostics.note(.refused(.pendingInvites, from: source, caller: caller), at: .zero)
        #expect(
            lines.all == [
                "notice a call of carol@example.net from 192.0.2.9:5060 was refused: too many of its calls wait for an "
                    + "answer. Answer or refuse one of them; for a gateway set limits = "
                    + "\"trusted\"."
            ])
    }

    @Test(arguments: Refusal.allCases) func everyRefusalHasACauseAndACureAndNoWordOfTheCode(refusal: Refusal) {
        let text = refusal.sentence(source: source, caller: nil)
        let parts = text.split(separator: ". ")
        #expect(parts.count == 2 && text.hasSuffix("."))
        #expect(parts.allSatisfy { $0.count <= 100 })
        let word = "\(refusal)"
        #expect(word.allSatisfy(\.isLowercase) || !text.contains(word))
    }

    @Test(arguments: [(Logger.Level.debug, 2), (.notice, 1), (.warning, 0)])
    func tellsWhatItsLevelAsksFor(level: Logger.Level, count: Int) {
        var diagnostics = diagnostics(level)
        diagnostics.note(.trying(CallHandle(rawValue: 1)), at: .zero)
        diagnostics.note(MediaNotice(call: 1, event: .media(.sourceChanged(source))))
        #expect(lines.all.count == count)
    }

    @Test(.proves(.rule(18)))
    func keepsWhatAMessageHoldsToItself() {
        var diagnostics = diagnostics(.trace)
        var headers = Headers()
        try? headers.append(.authorization, "Digest response=\"5ec2e7\"")
        let answer = CallAnswer(status: 200, reason: "OK", dialog: nil, headers: headers)
        diagnostics.note(.answered(CallHandle(rawValue: 7), answer), at: .zero)
        #expect(lines.all == ["debug sip: answered, call out 7"])
    }
}
