import Testing

@testable import MediaRuntime

@Suite struct AudioSpecTests {
    @Test(arguments: [
        ("alsa", AudioSpec.alsa("default")), ("alsa:hw:1,0", .alsa("hw:1,0")), ("null", .null), ("silence", .silence),
        ("tone:440", .tone(hertz: 440, level: -20)), ("tone:440.5,-6", .tone(hertz: 440.5, level: -6)),
        ("file:/a:b.wav", .file("/a:b.wav")), ("stdio", .standardStreams), ("echo", .echo),
    ])
    func readsEveryKind(text: String, spec: AudioSpec) throws {
        #expect(try AudioSpec(parsing: text) == spec)
        #expect(try AudioSpec(parsing: spec.description) == spec)
    }

    @Test(arguments: [
        "", "alsa:", "tone", "tone:", "tone:x", "tone:nan", "tone:19", "tone:20001", "tone:440,", "tone:440,1",
        "tone:440,-91", "tone:440,-20,3", "file", "file:", "file:a\u{0}b", "null:", "echo:1", "mp3:x", "ALSA",
    ])
    func refusesTheRestAndSaysWhy(text: String) {
        let error = #expect(throws: AudioSpecError.self) { try AudioSpec(parsing: text) }
        #expect(error?.text == text)
        #expect(error?.reason.isEmpty == false)
    }

    @Test func refusesOutputsThatOnlyGive() {
        #expect(throws: AudioError.notAnOutput(.silence)) {
            try MediaEngine(.init(input: .null, output: .silence, random: .init(seed: 1)))
        }
        #expect(throws: AudioError.echoAlone) {
            try MediaEngine(.init(input: .echo, output: .null, random: .init(seed: 1)))
        }
    }

    @Test func readsDigitsWithPauses() throws {
        let steps = try DigitStep.parse("w1,#")
        #expect(steps.count == 4 && steps[0] == .waitForMedia && steps[2] == .pause)
        #expect(throws: DigitError(text: "1x", character: "x")) { try DigitStep.parse("1x") }
    }
}
