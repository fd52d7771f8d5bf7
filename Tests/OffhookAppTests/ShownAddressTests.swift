import Proofs
import SIPMessages
import Testing

@testable import OffhookApp

@Suite struct ShownAddressTests {
    @Test(
        .proves(.rule(18)),
        arguments: [
            ("sip:a:SECRET@c:5060;x=y?Subject=z", "sip:a:***@c:5060;x=y?Subject=z"), ("sips:a@c", "sips:a@c"),
            ("tel:+1", "tel:+1"),
        ])
    func aPasswordIsNobodysBusiness(address: String, shown: String) throws {
        #expect(try URI(parsing: address).shownText == shown)
    }
}
