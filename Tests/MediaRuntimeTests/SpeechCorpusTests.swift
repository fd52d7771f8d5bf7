import Proofs
import RTPMedia
import Testing

@testable import MediaRuntime

/// What people say is found to be speech and taken for no key (ITU-T Q.24 calls that digit simulation); music is neither.
@Suite(.enabled(if: Corpora.arePresent, "\(Corpora.absence)")) struct SpeechCorpusTests {
    @Test func speechIsSpeechAndNoDigit() throws {
        let files = Corpora.files("speech", endingIn: ".wav")
        try #require(files.count > 4)
        var samples = [Int16](repeating: 0, count: 480)
        for file in files {
            var reader = try AudioFileReader(path: Corpora.path(file))
            var speech = SpeechDetector()
            var digits = DTMFDetector()
            var heard = ""
            while true {
                let count = samples.withUnsafeMutableBufferPointer { reader.read(into: $0) }
                if count == 0 { break }
                speech.receive(samples.span.extracting(0..<count))
                digits.receive(samples.span.extracting(0..<count))
                while let report = digits.nextReport() {
                    if case .began(let digit) = report { heard.append(digit.character) }
                }
            }
            #expect(speech.isFound != file.contains("music"), "\(file)")
            #expect(heard == "", "\(file)")
        }
    }
}
