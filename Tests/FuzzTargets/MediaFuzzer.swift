import AudioCodecs
import EngineKit
import RTPMedia

extension FuzzTarget {
    /// The media of a call to which the bytes are the peer, strangers, the user, the network and the clock.
    static func call(_ bytes: [UInt8]) throws(Fault) {
        guard var fuzzer = MediaFuzzer(bytes) else { return }
        try fuzzer.run()
    }

    /// Redundant audio, and what is written of its first copy.
    static func redundancy(_ bytes: [UInt8]) throws(Fault) {
        guard let audio = try? RedundantAudio(parsing: bytes.span) else { return }
        var end = 0
        for index in 0..<audio.copyCount {
            guard let copy = audio.copy(index) else { throw Fault(description: "no copy \(index)") }
            let isWithin = copy.octets.lowerBound >= end && copy.octets.upperBound <= bytes.count
            try check(isWithin, "a copy at \(copy.octets)")
            try check(copy.offset <= RedundantAudio.longestOffset, "a copy of \(copy.offset) ticks ago")
            end = copy.octets.upperBound
        }
        try check(audio.own.octets.upperBound == bytes.count, "own audio at \(audio.own.octets)")
        guard let copy = audio.copy(0) else { return }
        var headers = [UInt8](repeating: 0, count: 5)
        headers.withUnsafeMutableBufferPointer { memory in
            var writer = ByteWriter(memory.mutableSpan)
            RedundantAudio.writeHeaders(
                copyType: copy.payloadType, offset: copy.offset, copyLength: copy.octets.count,
                ownType: audio.own.payloadType, to: &writer)
        }
        let again = headers + bytes[copy.octets] + bytes[audio.own.octets]
        guard let reread = try? RedundantAudio(parsing: again.span) else {
            throw Fault(description: "what was written is no redundant audio")
        }
        try check(
            reread.copyCount == 1 && reread.copy(0)?.offset == copy.offset
                && reread.copy(0)?.octets.count == copy.octets.count && reread.own.payloadType == audio.own.payloadType,
            "what was written is read as something else")
    }
}

/// One run of a `MediaSession`. Each step is an octet that says what happens, and those that say how.
struct MediaFuzzer: ~Copyable {
    private static let peer = SocketAddress(.v4(0xc000_0209), port: 20_000)
    private static let stranger = SocketAddress(.v4(0xcb00_7101), port: 666)
    private static let most = 600

    /// Frames of Opus that an encoder made, of a tone, of noise and of silence.
    private static let frames: [[UInt8]] = {
        guard var encoder = try? OpusEncoder() else { return [[]] }
        var random = RandomSource(seed: 1)
        return (0..<12).map { index in
            let samples = (0..<960).map { place -> Int16 in
                switch index % 3 {
                case 0: AudioMath.sample(8_000 * AudioMath.sine(turns: Double(place) / 100))
                case 1: Int16.random(in: -5_000...5_000, using: &random)
                default: 0
                }
            }
            var output = [UInt8](repeating: 0, count: 1_200)
            var span = output.mutableSpan
            let length = encoder.encode(samples.span, into: &span) ?? 0
            return Array(output[..<length])
        }
    }()

    private var input: FuzzInput
    private var session: MediaSession
    private var configuration: MediaConfiguration
    private var now = Instant(nanoseconds: 1_000_000_000)
    private var (sequence, timestamp): (UInt16, UInt32) = (65_500, 0xffff_f000)

    init?(_ bytes: [UInt8]) {
        var formats = ReceiveFormats()
        formats.insert(.audio(.opus), payloadType: 96)
        formats.insert(.audio(.pcmu), payloadType: 0)
        formats.insert(.audio(.pcma), payloadType: 8)
        formats.insert(.audio(.g722), payloadType: 9)
        formats.insert(.audio(.l16), payloadType: 97)
        formats.insert(.telephoneEvent(clockRate: 48_000), payloadType: 101)
        formats.insert(.redundantAudio, payloadType: 121)
        let configuration = MediaConfiguration(
            codec: .opus, payloadType: 96, receiveFormats: formats, redundancyPayloadType: 121,
            sendTelephoneEvent: TelephoneEventFormat(payloadType: 101, clockRate: 48_000), remoteRTP: Self.peer,
            remoteRTCP: SocketAddress(Self.peer.address, port: 20_001))
        guard
            let session = try? MediaSession(
                configuration: configuration, random: RandomSource(seed: 1), at: Instant(nanoseconds: 1_000_000_000))
        else { return nil }
        input = FuzzInput(bytes)
        self.session = session
        self.configuration = configuration
    }

    mutating func run() throws(FuzzTarget.Fault) {
        var steps = 0
        while !input.isAtEnd, steps < Self.most {
            steps += 1
            step()
            try inspect()
        }
        session.stop(at: now)
        try inspect()
    }

    private mutating func step() {
        switch input.byte() % 12 {
        case 0...3: receivePacket()
        case 4: session.receivePacket(Array(input.run()).span, from: source(), isRTCP: false, at: now)
        case 5: session.receivePacket(Array(input.run()).span, from: source(), isRTCP: true, at: now)
        case 6...7: play(1 + Int(input.byte()) * 22)
        case 8: capture(1 + Int(input.byte()) * 22)
        case 9:
            now += input.pick(
                Duration.milliseconds(10), .milliseconds(20), .milliseconds(1), .milliseconds(200), .seconds(5),
                .seconds(40))
            if let deadline = session.deadline, deadline <= now { session.handleDeadline(at: now) }
        case 10: change()
        default:
            guard let digit = DTMFDigit(code: input.byte() & 15) else { return }
            _ = session.sendDigit(digit, duration: .milliseconds(Int(input.byte())))
        }
    }

    private mutating func source() -> SocketAddress { input.byte() % 8 == 7 ? Self.stranger : Self.peer }

    /// The next packet of the peer's stream, more or less.
    private mutating func receivePacket() {
        let form = input.byte()
        let payloadType: UInt8 = input.pick(96, 96, 0, 8, 101, 121, 77)
        sequence &+= form & 1 == 0 ? 1 : UInt16(truncatingIfNeeded: Int16(Int8(bitPattern: input.byte())))
        timestamp &+= form & 2 == 0 ? 960 : UInt32(truncatingIfNeeded: Int(Int8(bitPattern: input.byte())) * 480)
        let frame = Self.frames[Int(input.byte()) % Self.frames.count]
        let payload = form & 4 == 0 ? frame : Array(input.run())
        var bytes = [UInt8](repeating: 0, count: RTPPacket.headerLength)
        bytes.withUnsafeMutableBufferPointer { memory in
            var writer = ByteWriter(memory.mutableSpan)
            RTPPacket(
                hasMarker: form & 8 != 0, payloadType: payloadType, sequenceNumber: SequenceNumber(sequence),
                timestamp: timestamp, synchronizationSource: form & 48 == 48 ? 8 : 7
            ).writeHeader(to: &writer)
        }
        if payloadType == 121, form & 4 == 0 {
            let copy = Self.frames[Int(form >> 4) % Self.frames.count]
            var headers = [UInt8](repeating: 0, count: 5)
            headers.withUnsafeMutableBufferPointer { memory in
                var writer = ByteWriter(memory.mutableSpan)
                RedundantAudio.writeHeaders(
                    copyType: 96, offset: 2_880, copyLength: copy.count, ownType: 96, to: &writer)
            }
            bytes += headers + copy
        }
        session.receivePacket((bytes + payload).span, from: source(), isRTCP: false, at: now)
    }

    private mutating func play(_ count: Int) {
        var samples = [Int16](repeating: 0, count: min(count, OpusDecoder.maximumSampleCount))
        var span = samples.mutableSpan
        session.playout(into: &span, at: now)
        now += .nanoseconds(Int64(samples.count) * 1_000_000 / 48)
    }

    private mutating func capture(_ count: Int) {
        let samples = [Int16](repeating: Int16(count), count: min(count, OpusDecoder.maximumSampleCount))
        session.capture(samples.span, at: now)
    }

    private mutating func change() {
        let bits = input.byte()
        configuration.receives = bits & 1 == 0
        configuration.sends = bits & 2 == 0
        configuration.isOnHold = bits & 4 != 0
        configuration.jitterTarget = bits & 8 == 0 ? nil : .milliseconds(Int(input.byte()) * 4)
        configuration.redundancyPayloadType = bits & 16 == 0 ? 121 : nil
        (configuration.sendCodec, configuration.sendPayloadType) = input.pick(
            (.opus, 96), (.pcmu, 0), (.pcma, 8), (.g722, 9), (.l16, 97))
        configuration.packetTime = input.pick(20, 10, 60, 5, 3, 120, 90)
        session.update(configuration, at: now)
    }

    /// What leaves is RTP or RTCP and goes to the peer; what is counted stays within bounds.
    private mutating func inspect() throws(FuzzTarget.Fault) {
        var fault: String?
        while session.nextPacket({ bytes, destination, isRTCP in
            if destination.address != Self.peer.address { fault = "a packet to \(destination)" }
            if !isRTCP && (try? RTPPacket(parsing: bytes)) == nil { fault = "a packet that is no RTP" }
            if isRTCP && (try? RTCPReader.validate(bytes)) == nil { fault = "a packet that is no RTCP" }
        }) {}
        while session.nextEvent() != nil {}
        let statistics = session.statistics
        if !(0...2_000).contains(statistics.bufferMilliseconds) { fault = "\(statistics.bufferMilliseconds) ms held" }
        if !(statistics.jitterMilliseconds >= 0) { fault = "a jitter of \(statistics.jitterMilliseconds) ms" }
        if statistics.lost > statistics.expected { fault = "\(statistics.lost) lost of \(statistics.expected)" }
        if let fault { throw FuzzTarget.Fault(description: fault) }
    }
}
