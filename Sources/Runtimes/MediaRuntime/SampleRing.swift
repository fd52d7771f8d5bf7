import AudioCodecs
import EngineKit

/// Samples between two threads: 16-bit, 48 kHz, mono unless said otherwise.
package typealias SampleRing = Ring<Int16>

extension Ring where Element == Int16 {
    package convenience init(samples: Int) { self.init(capacity: samples, filler: 0) }

    /// Takes a whole period, or nothing where less waits.
    func takePeriod(into target: UnsafeMutableBufferPointer<Int16>) -> Bool {
        count >= target.count && read(into: target) == target.count
    }
}

/// The piece in which audio moves between devices and the media thread.
package enum AudioPeriod {
    package static let samples = 480
    package static let duration = Duration.milliseconds(10)
}
