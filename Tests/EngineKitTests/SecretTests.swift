import EngineKit
import Testing

struct SecretTests {
    private struct Holder {
        let user = "alice"
        let password = Secret("swordfish")
    }

    @Test func showsStarsHoweverItIsPrinted() {
        let secret = Secret("swordfish")
        var dumped = ""
        dump(Holder(), to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), "\(Holder())", "\([secret])", dumped] {
            #expect(text.contains("***"))
            #expect(!text.contains("swordfish"))
        }
    }

    @Test func givesItsTextToWhatAsksForIt() {
        #expect(Secret("swordfish").revealed == "swordfish")
        #expect(Secret("").isEmpty)
    }
}
