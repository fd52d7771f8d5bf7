import AudioCodecs
import CSndfile
import EngineKit
import Glibc
import Proofs
import RTPMedia
import Testing

@testable import MediaRuntime

@Suite struct AudioFileTests {
    /// A file of a 1 kHz sine of -12 dBFS on the first of `channels` channels.
    private func sine(rate: Int, channels: Int, seconds: Double = 1) throws -> TemporaryPath {
        let path = TemporaryPath("sine.wav")
        var info = SF_INFO()
        (info.samplerate, info.channels) = (CInt(rate), CInt(channels))
        info.format = CInt(SF_FORMAT_WAV) | CInt(SF_FORMAT_PCM_16)
        let handle = try #require(sf_open(path.path, CInt(SFM_WRITE), &info))
        let frames = Int(Double(rate) * seconds)
        var samples = [Float](repeating: 0, count: frames * channels)
        for frame in 0..<frames {
            samples[frame * channels] = Float(0.25 * AudioMath.sine(turns: 1000 * Double(frame) / Double(rate)))
        }
        sf_writef_float(handle, samples, sf_count_t(frames))
        sf_close(handle)
        return path
    }

    @Test(arguments: [8_000, 11_025, 16_000, 44_100, 48_000, 96_000], [1, 2])
    func readsAnyRateAndChannelsAsMonoAt48kHz(rate: Int, channels: Int) throws {
        let file = try sine(rate: rate, channels: channels)
        var reader = try AudioFileReader(path: file.path)
        var samples = [Int16](repeating: 0, count: 60_000)
        let count = samples.withUnsafeMutableBufferPointer { reader.read(into: $0) }
        #expect(abs(count - 48_000) < 100)
        var detector = ToneDetector(frequency: 1000)
        samples.withUnsafeBufferPointer { detector.receive(UnsafeBufferPointer(rebasing: $0[..<count]).span) }
        #expect(detector.isFound)
        // -12.04 dBFS, and half of that where the other channel is silent.
        #expect(abs(detector.level - (channels == 1 ? -12.04 : -18.06)) < 0.1)
    }

    @Test func refusesWhatIsNoSound() {
        #expect(throws: AudioError.file(path: "/dev/null", reason: "is not a regular file")) {
            _ = try AudioFileReader(path: "/dev/null")
        }
        #expect(throws: AudioError.file(path: "/nowhere.wav", reason: "No such file or directory")) {
            _ = try AudioFileReader(path: "/nowhere.wav")
        }
    }

    @Test func isCheckedBeforeItServes() throws {
        let file = try sine(rate: 8_000, channels: 1, seconds: 0.1)
        try AudioSpec.file(file.path).checkReadable()
        try AudioSpec.file(file.path).checkWritable()
        try AudioSpec.file(file.path + ".new").checkWritable()
        #expect(throws: AudioError.self) { try AudioSpec.file("/nowhere.wav").checkReadable() }
        #expect(throws: AudioError.file(path: "/nowhere/a.wav", reason: "No such file or directory")) {
            try AudioSpec.file("/nowhere/a.wav").checkWritable()
        }
        #expect(throws: AudioError.file(path: "/dev/null", reason: "exists and is not a regular file")) {
            try AudioSpec.file("/dev/null").checkWritable()
        }
    }

    @Test(.proves(.rule(17)))
    func isWholeWhileItIsWrittenAndOursAlone() throws {
        let file = TemporaryPath("recording.wav")
        var writer = try AudioFileWriter(path: file.path, channels: 2)
        let second = [Int16](repeating: 1000, count: 96_000)
        try second.withUnsafeBufferPointer { try writer.write($0) }
        try writer.synchronize()
        var reader = try AudioFileReader(path: file.path)
        var samples = [Int16](repeating: 0, count: 96_000)
        #expect(samples.withUnsafeMutableBufferPointer { reader.read(into: $0) } == 48_000)
        #expect(samples[24_000] == 1000)
        var status = stat()
        #expect(stat(file.path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        writer.update()
    }

    /// What a killed process leaves can be read.
    @Test(.proves(.rule(17)), arguments: ["wav", "flac", "opus", "ogg"])
    func losesAtMostFiveSecondsInAnyFormat(format: String) throws {
        let file = TemporaryPath("recording.\(format)")
        var writer = try AudioFileWriter(path: file.path, channels: 1)
        var generator = ToneGenerator(.sine(1_000, level: -12))
        var second = [Int16](repeating: 0, count: 48_000)
        for _ in 0..<10 {
            var span = second.mutableSpan
            generator.fill(&span)
            try second.withUnsafeBufferPointer { try writer.write($0) }
            writer.update()
        }
        try writer.synchronize()
        var reader = try AudioFileReader(path: file.path)
        var samples = [Int16](repeating: 0, count: 480_000)
        let count = samples.withUnsafeMutableBufferPointer { reader.read(into: $0) }
        #expect(count >= 5 * 48_000)
        var detector = ToneDetector(frequency: 1_000)
        samples.withUnsafeBufferPointer { detector.receive(UnsafeBufferPointer(rebasing: $0[..<count]).span) }
        #expect(detector.windowsWithTone == detector.windows && abs(detector.level + 12) < 0.5)
        writer.update()
    }

    @Test(.proves(.rule(17)))
    func neverWritesThroughALink() throws {
        let (target, link) = (TemporaryPath("target"), TemporaryPath("link.wav"))
        try #require(symlink(target.path, link.path) == 0)
        #expect(throws: AudioError.file(path: link.path, reason: "exists and is not a regular file")) {
            _ = try AudioFileWriter(path: link.path, channels: 1)
        }
        #expect(access(target.path, F_OK) != 0)
    }
}

/// A name in a directory of its own, which goes when this does.
final class TemporaryPath: Sendable {
    let path: String
    private let directory: String

    init(_ name: String) {
        var template = Array("/tmp/offhook-test-XXXXXX\0".utf8CString)
        mkdtemp(&template)
        directory = template.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "/tmp" }
        path = "\(directory)/\(name)"
    }

    deinit {
        unlink(path)
        rmdir(directory)
    }
}
