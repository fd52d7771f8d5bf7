import AudioCodecs
import EngineKit

extension MediaSession {
    /// After a second of made-up audio nobody is fooled any more, and the decoder need not try.
    private static let longestConcealment = AudioCodec.sampleRate

    /// Fills `samples` with what is to be heard from `now` on.
    package mutating func playout(into samples: inout MutableSpan<Int16>, at now: Instant) {
        let start = playoutClock.begin(count: samples.count, at: now)
        var filled = 0
        while filled < samples.count {
            if heardRange.isEmpty {
                let position = start + .nanoseconds(Int64(filled) * 1_000_000 / 48)
                heardRange = 0..<nextPiece(at: position, atMost: samples.count - filled)
            }
            let count = min(heardRange.count, samples.count - filled)
            for index in 0..<count { samples[filled + index] = heard[heardRange.lowerBound + index] }
            heardRange = heardRange.lowerBound + count..<heardRange.upperBound
            filled += count
        }
        heardMeter.measure(samples.span)
    }

    /// Puts the next piece into `heard`. Gives its length, at least 1; silence, which can be cut anywhere, at most
    /// `limit`.
    private mutating func nextPiece(at position: Instant, atMost limit: Int) -> Int {
        guard configuration.receives else { return silence(limit) }
        switch jitterBuffer.next(at: position) {
        case .silence(let count):
            return silence(max(1, min(count, limit)))
        case .play(let slot):
            return play(slot)
        case .recover(let slot, let count):
            return recover(from: slot, count: count)
        case .conceal(let count), .pause(let count):
            return conceal(count)
        }
    }

    private mutating func silence(_ count: Int) -> Int {
        let count = max(1, min(count, heard.count))
        for index in 0..<count { heard[index] = 0 }
        return count
    }

    private mutating func play(_ slot: Int) -> Int {
        let (bytes, codec) = jitterBuffer.payload(of: slot)
        turnDecoder(to: codec)
        let memory = heard.elements
        var output = memory.mutableSpan
        let decoded: Int? =
            switch codec {
            case .opus: opusDecoder.decode(bytes.span, into: &output)
            case .pcmu: g711Decoder.decode(bytes.span, as: .muLaw, into: &output)
            case .pcma: g711Decoder.decode(bytes.span, as: .aLaw, into: &output)
            }
        guard let count = decoded else {
            // A packet with a right beginning and a wrong end.
            counters.refused.malformed += 1
            let count = Int(jitterBuffer.frameTicks) * codec.samplesPerTick
            jitterBuffer.concealed(samples: count)
            jitterBuffer.played(samples: count)
            return conceal(count)
        }
        jitterBuffer.played(samples: count)
        concealedInARow = 0
        if owesFirstPlayed, let source = sources.active {
            owesFirstPlayed = false
            events.append(.firstPacketPlayed(synchronizationSource: source))
        }
        return count
    }

    private mutating func recover(from slot: Int, count: Int) -> Int {
        let (bytes, _) = jitterBuffer.payload(of: slot)
        guard OpusDecoder.carriesRedundancy(bytes.span) else {
            jitterBuffer.concealed(samples: count)
            return conceal(count)
        }
        turnDecoder(to: .opus)
        let memory = heard.elements
        var output = memory.mutableSpan
        guard let decoded = opusDecoder.decodeRedundancy(of: bytes.span, sampleCount: count, into: &output) else {
            jitterBuffer.concealed(samples: count)
            return conceal(count)
        }
        counters.recoveredByFEC += 1
        concealedInARow = 0
        return decoded
    }

    private mutating func conceal(_ count: Int) -> Int {
        let count = max(1, min(count, heard.count))
        concealedInARow += count
        guard concealedInARow < Self.longestConcealment else {
            concealedInARow = Self.longestConcealment
            return silence(count)
        }
        let memory = heard.elements
        var output = memory.mutableSpan
        let concealed: Int? =
            switch counters.receiveCodec {
            case .opus: opusDecoder.conceal(sampleCount: count, into: &output)
            case .pcmu, .pcma: g711Decoder.conceal(ticks: count / AudioCodec.pcmu.samplesPerTick, into: &output)
            case nil: nil
            }
        // Wire timestamps may ask for lengths that no codec has.
        return concealed ?? silence(count)
    }

    /// The decoder that comes into use must not go on where it once stopped.
    private mutating func turnDecoder(to codec: AudioCodec) {
        guard codec != counters.receiveCodec else { return }
        switch (counters.receiveCodec, codec) {
        case (_, .opus): opusDecoder.reset()
        case (.pcmu, .pcma), (.pcma, .pcmu): break
        default: g711Decoder.reset()
        }
        counters.receiveCodec = codec
    }
}
