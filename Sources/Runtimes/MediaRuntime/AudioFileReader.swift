import CSndfile
import Glibc

/// A sound file as mono samples at 48 kHz, whatever its format, rate and channels. For a thread that may block.
struct AudioFileReader: ~Copyable {
    private static let channelLimit: CInt = 32
    private static let rates: ClosedRange<CInt> = 1_000...768_000
    /// Frames read at a time.
    private static let chunk = 4096

    let path: String
    private let handle: OpaquePointer
    private let channels: Int
    private let rate: Int
    private var converter: RateConverter
    private var interleaved: [Float]
    private var ready: [Float] = []
    private var taken = 0
    private var isAtEnd = false

    init(path: String) throws(AudioError) {
        func refuse(_ reason: String) -> AudioError { .file(path: path, reason: reason) }
        // Without O_NONBLOCK the open of a FIFO would wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw refuse(SystemError.text(of: errno)) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw refuse("is not a regular file")
        }
        var info = SF_INFO()
        guard let handle = sf_open_fd(descriptor, CInt(SFM_READ), &info, CInt(SF_TRUE)) else {
            let reason = String(cString: sf_strerror(nil))
            // libsndfile closes the descriptor also where it fails.
            throw refuse(reason)
        }
        guard (1...Self.channelLimit).contains(info.channels), Self.rates.contains(info.samplerate) else {
            sf_close(handle)
            throw refuse("has \(info.channels) channels at \(info.samplerate) Hz, which is out of bounds")
        }
        self.path = path
        self.handle = handle
        channels = Int(info.channels)
        rate = Int(info.samplerate)
        converter = RateConverter(from: rate)
        interleaved = Array(repeating: 0, count: Self.chunk * channels)
    }

    deinit { sf_close(handle) }

    /// Fills the target, and gives fewer samples only at the end of the file.
    mutating func read(into target: UnsafeMutableBufferPointer<Int16>) -> Int {
        var count = 0
        while count < target.count {
            if taken == ready.count && !decode() { break }
            let part = min(target.count - count, ready.count - taken)
            for index in 0..<part { target[count + index] = Self.sample(ready[taken + index]) }
            count += part
            taken += part
        }
        return count
    }

    private static func sample(_ value: Float) -> Int16 {
        Int16(max(-32768, min(32767, (value * 32768).rounded())))
    }

    /// Goes back to the first sample; false where the format can't.
    mutating func rewind() -> Bool {
        guard sf_seek(handle, 0, SEEK_SET) == 0 else { return false }
        (converter, ready, taken, isAtEnd) = (RateConverter(from: rate), [], 0, false)
        return true
    }

    /// Decodes until some output stands ready; false at the end of the file.
    private mutating func decode() -> Bool {
        (ready, taken) = ([], 0)
        while ready.isEmpty && !isAtEnd {
            let frames = max(0, Int(sf_readf_float(handle, &interleaved, sf_count_t(Self.chunk))))
            for frame in 0..<frames {
                var sum: Float = 0
                for channel in 0..<channels { sum += interleaved[frame * channels + channel] }
                // A float file may hold what is not a number, which no codec may get.
                interleaved[frame] = sum.isFinite ? max(-1, min(1, sum / Float(channels))) : 0
            }
            ready = interleaved.withUnsafeBufferPointer {
                converter.convert(UnsafeBufferPointer(rebasing: $0[0..<frames]))
            }
            if frames < Self.chunk {
                isAtEnd = true
                ready += converter.finish()
            }
        }
        return !ready.isEmpty
    }
}
