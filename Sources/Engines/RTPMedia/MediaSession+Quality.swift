import AudioCodecs
import EngineKit

// How people would judge the call, out of all that was measured of it.
extension MediaSession {
    func judge(_ statistics: inout MediaStatistics) {
        guard let codec = statistics.receiveCodec, decodedSamples > 0 else { return }
        statistics.latencyMilliseconds = statistics.roundTripMilliseconds.map {
            receivedPacketMilliseconds + codec.delay.milliseconds + $0 / 2 + statistics.bufferMilliseconds
        }
        let concealed = Double(jitterBuffer.counters.concealedSamples)
        let heard = Double(decodedSamples + recoveredSamples) + concealed
        let model = EModel(
            codec: codec, bitRate: Double(decodedOctets) * 8 * Double(AudioCodec.sampleRate) / Double(decodedSamples),
            loss: 100 * concealed / heard,
            delay: statistics.latencyMilliseconds.map { .microseconds(Int64(max(0, min($0, 1e9)) * 1_000)) })
        statistics.listeningMOS = model.listeningQuality
        statistics.conversationalMOS = model.conversationalQuality
    }

    /// How much audio the packets that come hold.
    private var receivedPacketMilliseconds: Double {
        Double(Int(jitterBuffer.frameTicks) * jitterBuffer.codec.samplesPerTick) * 1_000 / Double(AudioCodec.sampleRate)
    }
}
