import TerminalUI
import Testing

@Suite struct UTF8ReaderTests {
    private func read(_ bytes: some Sequence<UInt8>) -> String {
        var reader = UTF8Reader()
        var text = String.UnicodeScalarView()
        for byte in bytes { text.append(contentsOf: reader.take(byte)) }
        text.append(contentsOf: reader.breakOff())
        return String(text)
    }

    @Test(arguments: [
        "", "bob@example.com", "e\u{301}漢😀 שלום",
        "\u{7F}\u{80}\u{7FF}\u{800}\u{FFFD}\u{10000}\u{10FFFF}",
    ])
    func givesBackWhatIsValid(text: String) {
        #expect(read(text.utf8) == text)
    }

    /// The standard library's decoder puts one U+FFFD for each maximal part, as Unicode 15 §3.9 advises.
    @Test func judgesEveryPairAndATripleOfEachKindAsTheStandardLibraryDoes() {
        let edges: [UInt8] = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xE0, 0xED, 0xF0, 0xF4, 0xFF]
        var cases: [[UInt8]] = []
        for first in UInt8.min...UInt8.max {
            cases += (UInt8.min...UInt8.max).map { [first, $0] }
            for second in edges { cases += edges.map { [first, second, $0, 0x80, 0x62] } }
        }
        #expect(cases.filter { read($0) != String(decoding: $0, as: UTF8.self) } == [])
    }

    @Test func losesNothingAfterAByteThatIsNone() {
        #expect(read(Array("bob".utf8) + [0xFF, 0xC3] + Array("(q b".utf8)) == "bob\u{FFFD}\u{FFFD}(q b")
    }
}
