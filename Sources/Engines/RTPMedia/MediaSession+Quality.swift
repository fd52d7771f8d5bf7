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
        statistics.latencyMilliseconds = statistics.roundTripMilliseconds.flatMap { roundTrip in
            statistics.receiveCodec.map {
                receivedPacketMilliseconds + $0.delay.milliseconds + roundTrip / 2 + statistics.bufferMilliseconds
            }
        }
        guard let model = qualityModel(latency: statistics.latencyMilliseconds) else { return }
        statistics.listeningMOS = model.listeningQuality
        statistics.conversationalMOS = model.conversationalQuality
    }

    private func qualityModel(latency: Double?) -> EModel? {
        guard let codec = counters.receiveCodec, decodedSamples > 0 else { return nil }
        var concealed = Double(jitterBuffer.counters.concealedSamples)
        if configuration.receives, jitterBuffer.undecided > Self.longestPause {
            concealed += Double(jitterBuffer.undecided)
        }
        let heard = Double(decodedSamples + recoveredSamples) + concealed
        return EModel(
            codec: codec, bitRate: speechRate, loss: 100 * concealed / heard,
            delay: latency.map { .microseconds(Int64(max(0, min($0, 1e9)) * 1_000)) })
    }

    /// How we hear the peer, in the words of an extended report; nil before anything came.
    var voipMetrics: VoIPMetrics? {
        guard let source = sources.active else { return nil }
        var metrics = VoIPMetrics(source: source)
        jitterBuffer.bursts.report(into: &metrics, packetTime: receivedPacketMilliseconds)
        let statistics = statistics
        metrics.roundTrip = Int((statistics.roundTripMilliseconds ?? 0).rounded())
        let codec = statistics.receiveCodec?.delay.milliseconds ?? 0
        metrics.endSystemDelay = Int(
            (Double(configuration.packetTime) + codec + statistics.bufferMilliseconds).rounded())
        metrics.rating = qualityModel(latency: statistics.latencyMilliseconds)?.rating
        metrics.listeningMOS = statistics.listeningMOS
        metrics.conversationalMOS = statistics.conversationalMOS
        metrics.configuration = configuration.jitterTarget == nil ? .enhancedAdaptive : .enhancedFixed
        metrics.bufferNominal = Int(statistics.bufferMilliseconds.rounded())
        metrics.bufferMaximum = Int(JitterBuffer.maximumDepth.milliseconds)
        metrics.bufferAbsoluteMaximum = metrics.bufferMaximum
        return metrics
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
