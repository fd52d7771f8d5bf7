import EngineKit
import Synchronization

/// A stream between a file and the media thread, which never blocks: the file thread serves it between the two.
protocol FileStream: AnyObject, Sendable {
    /// Moves what can be moved without waiting for the media thread. False when there is no more to do.
    func serve() -> Bool
    /// Moves what is left, and closes. Called once, after the last `serve`.
    func finish()
}

/// A file that is played. The file thread produces `samples`, the media thread consumes them.
final class PlayedFile: FileStream, @unchecked Sendable {
    /// 1.4 s ahead of the media thread.
    let samples = SampleRing(samples: 65_536)
    /// The media thread finds nothing more behind what `samples` holds.
    let isEnded = Atomic<Bool>(false)

    private let loops: Bool
    /// The one thread at a time that serves has these.
    private var reader: AudioFileReader?
    private var chunk = [Int16](repeating: 0, count: 4096)

    /// Opens the file and reads ahead, so that the first sample waits for nothing.
    init(path: String, loops: Bool) throws(AudioError) {
        reader = try AudioFileReader(path: path)
        self.loops = loops
        _ = serve()
    }

    func serve() -> Bool {
        while !isEnded.load(ordering: .relaxed) && samples.space >= chunk.count {
            var count = chunk.withUnsafeMutableBufferPointer { reader?.read(into: $0) ?? 0 }
            if count < chunk.count && loops && samples.totalWritten + count > 0 && reader?.rewind() == true {
                let rest = chunk.count - count
                count += chunk.withUnsafeMutableBufferPointer {
                    reader?.read(into: UnsafeMutableBufferPointer(rebasing: $0[count...].prefix(rest))) ?? 0
                }
            }
            chunk.withUnsafeBufferPointer { _ = samples.write(UnsafeBufferPointer(rebasing: $0[..<count])) }
            if count == 0 || (count < chunk.count && !loops) { isEnded.store(true, ordering: .releasing) }
        }
        return !isEnded.load(ordering: .relaxed)
    }

    func finish() { reader = nil }
}

/// A file that is written: a recording, or a file as audio output. The media thread produces `samples`.
final class WrittenFile: FileStream, @unchecked Sendable {
    /// Interleaved where there are two channels; 2.7 s of them.
    let samples = SampleRing(samples: 262_144)
    let channels: Int
    private let onFailure: @Sendable (AudioError) -> Void
    /// Set by whoever ends the recording: what `samples` holds then is the rest.
    private let isClosing = Atomic<Bool>(false)
    /// The file thread alone has these.
    private var writer: AudioFileWriter?
    private var chunk = [Int16](repeating: 0, count: 8192)
    private var updatedAt = MonotonicClock.now
    private var synchronizedAt = MonotonicClock.now

    init(path: String, channels: Int, onFailure: @escaping @Sendable (AudioError) -> Void) throws(AudioError) {
        writer = try AudioFileWriter(path: path, channels: channels)
        self.channels = channels
        self.onFailure = onFailure
    }

    func close() { isClosing.store(true, ordering: .releasing) }

    func serve() -> Bool {
        let isLast = isClosing.load(ordering: .acquiring)
        do throws(AudioError) {
            while samples.count >= channels {
                let count = chunk.withUnsafeMutableBufferPointer { samples.read(into: $0) }
                try chunk.withUnsafeBufferPointer { buffer throws(AudioError) in
                    try writer?.write(UnsafeBufferPointer(rebasing: buffer[..<count]))
                }
            }
            let now = MonotonicClock.now
            if now - synchronizedAt >= .seconds(5) {
                try writer?.synchronize()
                (synchronizedAt, updatedAt) = (now, now)
            } else if now - updatedAt >= .seconds(1) {
                writer?.update()
                updatedAt = now
            }
        } catch {
            writer = nil
            onFailure(error)
            return false
        }
        return !isLast
    }

    func finish() { writer = nil }
}
