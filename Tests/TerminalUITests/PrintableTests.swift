import EngineKit
import Proofs
import Testing

@testable import TerminalUI

@Suite struct PrintableTests {
    @Test(
        .proves(.rule(20), .incident(72), .incident(73)),
        arguments: [
            ("\u{1B}]0;owned\u{07}Bob", "]0;ownedBob"),
            ("\u{1B}[2J\u{1B}[HBob", "[2J[HBob"),
            ("\u{9B}31mBob\u{9C}", "31mBob"),
            ("Bob\r\nINVITE", "Bob INVITE"),
            ("a\tb", "a b"),
            ("Bob\u{7F}\u{8}\u{8}\u{8}Eve", "BobEve"),
            ("\u{202E}moc.live\u{202C}", "moc.live"),
            ("\u{2066}a\u{2069}\u{61C}\u{200F}b", "ab"),
            ("pay\u{200B}pal\u{200D}\u{2060}\u{FEFF}", "paypal"),
            ("a\u{2028}b\u{2029}c", "a b c"),
            ("\u{3164}\u{115F}x\u{FE0F}", "x"),
            ("\u{E000}\u{F8FF}x\u{E0041}", "x"),
            ("\u{301}x", "x"),
            ("\u{1B}]8;;http://evil.example\u{1B}\\link", "]8;;http://evil.example\\link"),
        ])
    func takesWhatCouldCommandATerminal(hostile: String, harmless: String) {
        #expect(Printable(hostile).text == harmless)
    }

    @Test(.proves(.rule(20), .incident(72), .incident(73)))
    func keepsTheTextsOfPeople() {
        for name in ["Bob", "José Ångström", "李小龍", "Мария", "קרן", "e\u{301}", "한국어", "🎷 sax", "a&b <c@d>"] {
            #expect(Printable(name).text == name)
        }
    }

    @Test(.proves(.rule(20), .incident(72), .incident(73)))
    func repairsBytesThatAreNotUTF8() {
        #expect(Printable(decoding: [0x42, 0xFF, 0x6F]).text == "B\u{FFFD}o")
        #expect(Printable(decoding: [0xC3]).text == "\u{FFFD}")
        #expect(Printable(decoding: [0xED, 0xA0, 0x80, 0x41]).text.hasSuffix("A"))
        #expect(Printable(decoding: [0xC0, 0x9B]).text.unicodeScalars.allSatisfy { $0 == "\u{FFFD}" })
    }

    @Test(.proves(.rule(20), .incident(72), .incident(73)))
    func isNeverWiderThanItsCap() {
        #expect(Printable(String(repeating: "a", count: 128)).text == String(repeating: "a", count: 128))
        let long = Printable(String(repeating: "a", count: 129))
        #expect(long.width == 128 && long.text.hasSuffix("…"))
        #expect(Printable(String(repeating: "漢", count: 100)).width == 127)
        #expect(Printable(decoding: [UInt8](repeating: 0x41, count: 1 << 20)).width == 128)
    }

    @Test(.proves(.rule(20), .incident(72), .incident(73)))
    func boundsTheMarksOnALetter() {
        let text = Printable("a" + String(repeating: "\u{301}", count: 1000) + "b").text
        #expect(text.unicodeScalars.count == 6 && text.hasSuffix("b"))
    }

    @Test(.proves(.rule(20), .incident(72), .incident(73)))
    func leavesNothingHarmfulOfRandomBytes() {
        var random = RandomSource(seed: 20)
        for _ in 0..<300 {
            let bytes = (0..<Int.random(in: 0...300, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            assertHarmless(Printable(decoding: bytes))
            let scalars = (0..<200).compactMap { _ in Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &random)) }
            assertHarmless(Printable(String(String.UnicodeScalarView(scalars))))
        }
    }

    private func assertHarmless(_ printable: Printable) {
        #expect(printable.width <= Printable.maximumCells)
        for scalar in printable.text.unicodeScalars {
            let category = scalar.properties.generalCategory
            #expect(![.control, .format, .lineSeparator, .paragraphSeparator].contains(category))
            #expect(!scalar.properties.isDefaultIgnorableCodePoint)
        }
        #expect(Printable(printable.text) == printable)
    }
}
