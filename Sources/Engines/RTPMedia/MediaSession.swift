import AudioCodecs
import EngineKit

/// The media of one call: captured audio into packets, packets into audio that is heard, and the RTCP about both.
///
/// A value with one owner. `init` allocates all that it will ever need; no later call allocates, locks, or touches a
/// reference count, so that all of them may run on the media thread. Audio is 16-bit mono at 48 kHz in pieces of any
/// length up to 120 ms; 10 ms is usual.
package struct MediaSession: ~Copyable, Sendable {
    package private(set) var configuration: MediaConfiguration
    private var counters = MediaStatistics()

    /// - Parameter random: draws SSRC, first sequence number and timestamp, CNAME and the randomness of the RTCP timer.
    package init(configuration: MediaConfiguration, random: RandomSource, at now: Instant) throws(MediaError) {
        self.configuration = configuration
    }

    /// Takes over what a re-INVITE, an answer, hold or a proven path changed.
    package mutating func update(_ configuration: MediaConfiguration, at now: Instant) {
        self.configuration = configuration
    }

    /// A datagram from one of the two sockets of this call. Any bytes.
    package mutating func receivePacket(
        _ bytes: Span<UInt8>, from source: SocketAddress, isRTCP: Bool, at now: Instant
    ) {}

    /// Audio from the microphone.
    package mutating func capture(_ samples: Span<Int16>, at now: Instant) {}

    /// Fills `samples` with what is to be heard from `now` on.
    package mutating func playout(into samples: inout MutableSpan<Int16>, at now: Instant) {
        for index in samples.indices { samples[index] = 0 }
    }

    /// Sends a digit after those that wait already. False where 32 wait or the peer takes no telephone-event.
    package mutating func sendDigit(_ digit: DTMFDigit, duration: Duration) -> Bool { false }

    /// Muted, the stream goes on with silence in it.
    package mutating func setMuted(_ isMuted: Bool) {}

    /// The network said that the peer's media address can't be reached (ICMP).
    package mutating func destinationUnreachable(at now: Instant) {}

    /// Queues RTCP BYE. Nothing is sent after it.
    package mutating func stop(at now: Instant) {}

    /// Hands one packet that is to be sent to `body` (bytes, destination, whether it goes out of the RTCP socket).
    /// False, without a call of `body`, where none waits.
    package mutating func nextPacket(
        _ body: (_ bytes: Span<UInt8>, _ destination: SocketAddress, _ isRTCP: Bool) -> Void
    ) -> Bool { false }

    package mutating func nextEvent() -> MediaEvent? { nil }

    /// When `handleDeadline` wants to be called next: RTCP, keep-alive, the clock of silence.
    package var deadline: Instant? { nil }

    package mutating func handleDeadline(at now: Instant) {}

    package var statistics: MediaStatistics { counters }
}

package enum MediaError: Error, Equatable, Sendable {
    /// libopus refused to make an encoder or a decoder; its error number.
    case opus(Int32)
}
