import EngineKit
import Proofs
import SIPMessages
import Testing

@testable import SIPUserAgent

/// Which calls are known to have ended (RFC 3891 §3).
@Suite struct EndedDialogsTests {
    private func dialog(_ index: Int) throws -> Dialog {
        let world = bobAndCarol()
        let invite = try world.request(.invite, from: "carol", to: "bob", callID: "call-\(index)")
        return try Dialog(of: invite, localTag: "bob", localSequence: 1)
    }

    private func field(_ index: Int, ownTag: String = "bob", peerTag: String = "peer") -> Replaces {
        Replaces(callID: "call-\(index)", ownTag: ownTag, peerTag: peerTag)
    }

    @Test(.proves(.rule(4), .rule(14)))
    func remembersTheLastSixtyFour() throws {
        var dialogs = EndedDialogs()
        for index in 0..<100 {
            dialogs.remember(try dialog(index), until: .zero + .seconds(32), at: .zero)
        }
        #expect((0..<100).filter { dialogs.contains(field($0), at: .zero) } == Array(36..<100))
        #expect(!dialogs.contains(field(99), at: .zero + .seconds(32)))
    }

    @Test(.proves(.rule(4)))
    func namesAreExact() throws {
        var dialogs = EndedDialogs()
        dialogs.remember(try dialog(1), until: .zero + .seconds(32), at: .zero)
        #expect(dialogs.contains(field(1), at: .zero))
        for wrong in [field(2), field(1, ownTag: "peer"), field(1, peerTag: "bob"), field(1, peerTag: "0")] {
            #expect(!dialogs.contains(wrong, at: .zero))
        }
    }
}
