import Proofs
import RTPMedia
import Testing

@testable import MediaRuntime

/// What people say, and music, is taken for no key (ITU-T Q.24 calls it digit simulation).
@Suite struct TalkOffTests {
    @Test(.enabled(if: Corpora.arePresent, "\(Corpora.absence)")) func speechIsNoDigit() throws {
        let files = Corpora.files("speech", endingIn: ".wav")
        try #require(files.count > 4)
        var samples = [Int16](repeating: 0, count: 480)
        for file in files {
            var reader = try AudioFileReader(path: Corpora.path(file))
            var detector = DTMFDetector()
            var heard = ""
            while true {
                let count = samples.withUnsafeMutableBufferPointer { reader.read(into: $0) }
                if count == 0 { break }
                detector.receive(samples.span.extracting(0..<count))
                while let report = detector.nextReport() {
                    if case .began(let digit) = report { heard.append(digit.character) }
                }
            }
            #expect(heard == "", "\(file)")
        }
    }
}
