import AudioCodecs
import EngineKit

extension MediaSession {
    /// After a second of made-up audio nobody is fooled any more, and the decoder need not try.
    private static let longestConcealment = AudioCodec.sampleRate
    /// 30 ms: the longest period, its seam and some choice.
    private static let correctable = 1_440
    private static let urgentCorrection = 60 * AudioCodec.sampleRate / 1_000
    private static let mostUrgentCorrection = 150 * AudioCodec.sampleRate / 1_000

    /// Fills `samples` with what is to be heard from `now` on.
    package mutating func playout(into samples: inout MutableSpan<Int16>, at now: Instant) {
        let start = playoutClock.begin(count: samples.count, at: now)
        jitterBuffer.period = .nanoseconds(Int64(min(samples.count, Self.correctable)) * 1_000_000 / 48)
        var filled = 0
        while filled < samples.count {
            if heardRange.isEmpty {
                let position = start + .nanoseconds(Int64(filled) * 1_000_000 / 48)
                heardRange = 0..<nextPiece(at: position, atMost: samples.count - filled)
            }
            let count = min(heardRange.count, samples.count - filled)
            let piece = heard.elements(heardRange.lowerBound..<heardRange.lowerBound + count)
            samples.withUnsafeMutableBufferPointer { _ = $0[filled...].update(fromContentsOf: piece) }
            heardRange = heardRange.lowerBound + count..<heardRange.upperBound
            filled += count
        }
        heardMeter.measure(samples.span)
        if configuration.receives, listensForDigits { listenForDigits(in: samples.span) }
    }

    /// Puts the next piece into `heard`. Gives its length, at least 1; silence, which can be cut anywhere, at most
    /// `limit`.
    private mutating func nextPiece(at position: Instant, atMost limit: Int) -> Int {
        let count = configuration.receives ? nextReceived(at: position, atMost: limit) : silence(limit)
        stretch.remember(heard.elements(0..<count))
        return count
    }

    private mutating func nextReceived(at position: Instant, atMost limit: Int) -> Int {
        while true {
            let step = jitterBuffer.next(at: position)
            if case .absorb = step {} else { payOwedConcealment() }
            switch step {
            case .silence(let count):
                gap.end()
                return silence(max(1, min(count, limit)))
            case .play(let slot):
                return corrected(play(slot))
            case .recover(let slot, let count):
                return recover(from: slot, count: count)
            case .conceal(let count), .pause(let count):
                return conceal(count)
            case .absorb(let slot, let isRedundancy, let samplesAgo):
                absorb(slot, isRedundancy: isRedundancy, samplesAgo: samplesAgo)
            }
        }
    }

    private mutating func silence(_ count: Int) -> Int {
        let count = max(1, min(count, OpusDecoder.maximumSampleCount))
        heard.elements(0..<count).update(repeating: 0)
        return count
    }

    /// Decodes a packet into `heard` from `start` on; nil where it has a right beginning and a wrong end.
    private mutating func decode(_ slot: Int, from start: Int) -> Int? {
        let (bytes, codec) = jitterBuffer.payload(of: slot)
        turnDecoder(to: codec)
        let memory = heard.elements(start..<heard.count)
        var output = memory.mutableSpan
        let decoded: Int? =
            if let code = codec.waveformCode {
                waveformDecoder.decode(bytes.span, as: code, into: &output)
            } else {
                opusDecoder.decode(bytes.span, into: &output)
            }
        if let decoded {
            noteDecoded(samples: decoded, octets: bytes.count, of: codec)
        } else {
            counters.refused.malformed += 1
        }
        return decoded
    }

    private mutating func play(_ slot: Int) -> Int {
        guard let count = decode(slot, from: 0) else {
            let count = Int(jitterBuffer.frameTicks) * jitterBuffer.payload(of: slot).codec.samplesPerTick
            jitterBuffer.concealed(samples: count)
            jitterBuffer.played(samples: count)
            return conceal(count)
        }
        jitterBuffer.played(samples: count)
        gap.close(over: heard.elements(0..<count))
        concealedInARow = 0
        if jitterBuffer.isCopy(slot) { counters.recoveredByFEC += 1 }
        if owesFirstPlayed, let source = sources.active {
            owesFirstPlayed = false
            events.append(.firstPacketPlayed(synchronizationSource: source))
        }
        return count
    }

    /// Makes the piece in `heard` longer or shorter by a period of speech where packets are not held as long as they are
    /// to be.
    private mutating func corrected(_ length: Int) -> Int {
        let correction = jitterBuffer.correction
        guard correction != 0 else { return length }
        var count = length
        // What is too short to find a period in is joined with what follows.
        while count < Self.correctable, let slot = jitterBuffer.takeFollowing() {
            guard let more = decode(slot, from: count) else {
                let frame = Int(jitterBuffer.frameTicks) * jitterBuffer.codec.samplesPerTick
                jitterBuffer.played(samples: frame)
                jitterBuffer.stretched(by: -frame)
                break
            }
            jitterBuffer.played(samples: more)
            if jitterBuffer.isCopy(slot) { counters.recoveredByFEC += 1 }
            gap.end()
            count += more
        }
        let urgency: TimeStretch.Urgency =
            switch abs(correction) {
            case ..<Self.urgentCorrection: .none
            case ..<Self.mostUrgentCorrection: .high
            default: .highest
            }
        let result =
            correction < 0
            ? stretch.shrink(heard.elements, count: count, atMost: -correction, urgency: urgency)
            : stretch.extend(heard.elements, count: count, atMost: correction + TimeStretch.seam, urgency: urgency)
        jitterBuffer.stretched(by: result - count)
        return result
    }

    private mutating func recover(from slot: Int, count: Int) -> Int {
        let (bytes, _) = jitterBuffer.payload(of: slot)
        guard OpusDecoder.redundancy(in: bytes.span) == .copy else {
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
        recoveredSamples += UInt64(decoded)
        gap.close(over: heard.elements(0..<decoded))
        concealedInARow = 0
        return decoded
    }

    /// Takes what came too late into the decoder, as if it had never been missed.
    private mutating func absorb(_ slot: Int, isRedundancy: Bool, samplesAgo: Int) {
        let (bytes, codec) = jitterBuffer.payload(of: slot)
        guard codec == .opus, counters.receiveCodec == .opus, let missed = gap.missed(before: samplesAgo),
            !isRedundancy || OpusDecoder.redundancy(in: bytes.span) == .copy
        else { return }
        let memory = heard.elements
        var output = memory.mutableSpan
        gap.prepareSeam { opusDecoder.conceal(sampleCount: $0.count, into: &$0) != nil }
        opusDecoder.restore()
        if missed > 0 { _ = opusDecoder.conceal(sampleCount: missed, into: &output) }
        let frame = Int(jitterBuffer.frameTicks)
        let decoded =
            isRedundancy
            ? opusDecoder.decodeRedundancy(of: bytes.span, sampleCount: frame, into: &output)
            : opusDecoder.decode(bytes.span, into: &output)
        opusDecoder.save()
        gap.absorbed(missed + (decoded ?? 0))
        // Where another one is to be taken in behind it, what lies between is not heard again either.
        owedConcealment = isRedundancy ? 0 : gap.samples
    }

    private mutating func payOwedConcealment() {
        guard owedConcealment > 0 else { return }
        let memory = heard.elements
        var output = memory.mutableSpan
        _ = opusDecoder.conceal(sampleCount: owedConcealment, into: &output)
        owedConcealment = 0
    }

    private mutating func conceal(_ count: Int) -> Int {
        let count = max(1, min(count, OpusDecoder.maximumSampleCount))
        if gap.samples == 0, counters.receiveCodec == .opus { opusDecoder.save() }
        gap.grow(by: count)
        concealedInARow += count
        guard concealedInARow < Self.longestConcealment else {
            concealedInARow = Self.longestConcealment
            return silence(count)
        }
        let memory = heard.elements
        var output = memory.mutableSpan
        let concealed: Int?
        if let code = counters.receiveCodec?.waveformCode {
            concealed = waveformDecoder.conceal(sampleCount: count, as: code, into: &output)
        } else {
            concealed = counters.receiveCodec.flatMap { _ in opusDecoder.conceal(sampleCount: count, into: &output) }
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
        default: waveformDecoder.reset()
        }
        gap.end()
        counters.receiveCodec = codec
    }
}
