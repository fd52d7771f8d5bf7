import AudioCodecs
import EngineKit

// How people would judge the call, out of all that was measured of it.
extension MediaSession {
    /// What is coded in less is silence: with a variable bit rate it costs next to nothing, and says nothing of the speech.
    private static let leastSpeechRate = 14_000
    /// No packet for longer than any silence leaves out of them, in samples: the peer is not heard any more.
    private static let longestPause = AudioCodec.sampleRate

    mutating func noteDecoded(samples: Int, octets: Int, of codec: AudioCodec) {
        decodedSamples += UInt64(samples)
        guard codec == .opus, octets * 8 * AudioCodec.sampleRate >= Self.leastSpeechRate * samples else { return }
        speechSamples += UInt64(samples)
        speechOctets += UInt64(octets)
    }

    func judge(_ statistics: inout MediaStatistics) {
        guard let codec = statistics.receiveCodec, decodedSamples > 0 else { return }
        statistics.latencyMilliseconds = statistics.roundTripMilliseconds.map {
            receivedPacketMilliseconds + codec.delay.milliseconds + $0 / 2 + statistics.bufferMilliseconds
        }
        var concealed = Double(jitterBuffer.counters.concealedSamples)
        if configuration.receives, jitterBuffer.undecided > Self.longestPause {
            concealed += Double(jitterBuffer.undecided)
        }
        let heard = Double(decodedSamples + recoveredSamples) + concealed
        let model = EModel(
            codec: codec, bitRate: speechRate, loss: 100 * concealed / heard,
            delay: statistics.latencyMilliseconds.map { .microseconds(Int64(max(0, min($0, 1e9)) * 1_000)) })
        statistics.listeningMOS = model.listeningQuality
        statistics.conversationalMOS = model.conversationalQuality
    }

    /// Bits a second; where nobody spoke yet nothing speaks against the best.
    private var speechRate: Double {
        guard speechSamples > 0 else { return .infinity }
        return Double(speechOctets) * 8 * Double(AudioCodec.sampleRate) / Double(speechSamples)
    }

    /// How much audio the packets that come hold.
    private var receivedPacketMilliseconds: Double {
        Double(Int(jitterBuffer.frameTicks) * jitterBuffer.codec.samplesPerTick) * 1_000 / Double(AudioCodec.sampleRate)
    }
}
