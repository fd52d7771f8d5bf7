import EngineKit
import Proofs
import SIPMessages
import Testing

@testable import SIPUserAgent

/// Which calls are known to have ended (RFC 3891 §3).
@Suite struct EndedDialogsTests {
    private func key(_ index: Int) -> UserAgentCore.CallKey {
        UserAgentCore.CallKey(callID: "call-\(index)", localTag: "bob")
    }

    private func field(_ index: Int, ownTag: String = "bob", peerTag: String = "peer") -> Replaces {
        Replaces(callID: "call-\(index)", ownTag: ownTag, peerTag: peerTag)
    }

    @Test(.proves(.rule(4), .rule(14)))
    func remembersTheLastSixtyFour() {
        var dialogs = EndedDialogs()
        for index in 0..<100 {
            dialogs.remember(key(index), peerTag: "peer", until: .zero + .seconds(32), at: .zero)
        }
        #expect((0..<100).filter { dialogs.contains(field($0), at: .zero) } == Array(36..<100))
        #expect(!dialogs.contains(field(99), at: .zero + .seconds(32)))
    }

    @Test(.proves(.rule(4)))
    func namesAreExact() {
        var dialogs = EndedDialogs()
        dialogs.remember(key(1), peerTag: "peer", until: .zero + .seconds(32), at: .zero)
        #expect(dialogs.contains(field(1), at: .zero))
        for wrong in [field(2), field(1, ownTag: "peer"), field(1, peerTag: "bob"), field(1, peerTag: "0")] {
            #expect(!dialogs.contains(wrong, at: .zero))
        }
    }
}
