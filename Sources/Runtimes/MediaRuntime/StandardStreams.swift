import CLinux
import Glibc
import Synchronization

/// Audio from stdin: 16-bit little-endian mono at 48 kHz. The file thread produces `samples`.
///
/// Read only as far as the media thread needs, so a program that writes to us is held back by the pipe.
final class StandardInput: FileStream, @unchecked Sendable {
    /// 170 ms.
    let samples = SampleRing(samples: 8192)
    let isEnded = Atomic<Bool>(false)
    /// The file thread alone has these. A read may end in the middle of a sample.
    private var bytes = [UInt8](repeating: 0, count: 4096)
    private var leftOver = 0

    func serve() -> Bool {
        while samples.space >= bytes.count / 2 && cs_wait_readable(STDIN_FILENO, 0) > 0 {
            let count = bytes.withUnsafeMutableBytes {
                read(STDIN_FILENO, $0.baseAddress?.advanced(by: leftOver), $0.count - leftOver)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                isEnded.store(true, ordering: .releasing)
                return false
            }
            let whole = (leftOver + count) / 2
            for index in 0..<whole {
                _ = samples.append(Int16(bitPattern: UInt16(bytes[2 * index]) | UInt16(bytes[2 * index + 1]) << 8))
            }
            let total = leftOver + count
            if total % 2 == 1 { bytes[0] = bytes[total - 1] }
            leftOver = total % 2
        }
        return true
    }

    func finish() {}
}

/// Audio to stdout: 16-bit little-endian mono at 48 kHz. The media thread produces `samples`; what a reader does not
/// take in time is lost.
final class StandardOutput: FileStream, @unchecked Sendable {
    let samples = SampleRing(samples: 16_384)
    private let onFailure: @Sendable (AudioError) -> Void
    /// The file thread alone has it. A pipe takes up to PIPE_BUF (4096) bytes without blocking once it polls writable.
    private var chunk = [Int16](repeating: 0, count: 2048)

    init(onFailure: @escaping @Sendable (AudioError) -> Void) { self.onFailure = onFailure }

    func serve() -> Bool {
        while samples.count > 0 && cs_wait_writable(STDOUT_FILENO, 0) > 0 {
            let count = chunk.withUnsafeMutableBufferPointer { samples.read(into: $0) }
            for index in 0..<count { chunk[index] = chunk[index].littleEndian }
            guard writeAll(count * 2) else {
                let code = errno
                let reason = SystemError.text(of: code)
                onFailure(
                    code == EPIPE
                        ? .vanished(device: "stdout", reason: reason) : .file(path: "stdout", reason: reason))
                return false
            }
        }
        return true
    }

    private func writeAll(_ total: Int) -> Bool {
        chunk.withUnsafeBytes { buffer in
            var sent = 0
            while sent < total {
                let count = write(STDOUT_FILENO, buffer.baseAddress?.advanced(by: sent), total - sent)
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return false }
                sent += count
            }
            return true
        }
    }

    func finish() {}
}
