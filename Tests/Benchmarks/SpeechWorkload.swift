import AudioCodecs
import EngineKit
import Glibc
import RTPMedia

extension Workload {
    /// What is heard of speech behind a network that loses and delays, in virtual time: both files are raw, 16 bits
    /// mono at 48 kHz. The peer sends reports back over the same network without loss, as fast as RTCP does.
    static var speech: Workload {
        Workload(
            name: "speech",
            usage: """
                IN OUT [loss=PERCENT] [burst=PACKETS] [jitter=MS] [seed=N] [codec=NAME] [ptime=MS] [target=MS] [red=1]
                """
        ) { arguments in
            guard arguments.count >= 2 else { Benchmarks.fail("speech IN OUT [KEY=VALUE...]") }
            var network = ImpairedNetwork.Settings()
            var codec = AudioCodec.opus
            var packetTime = 20
            var target: Duration?
            var isRedundant = false
            for argument in arguments.dropFirst(2) {
                let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
                let number = parts.count == 2 ? Double(parts[1]) : nil
                switch (parts[0], number) {
                case ("loss", let percent?): network.loss = percent / 100
                case ("burst", let packets?): network.burst = max(1, Int(packets))
                case ("jitter", let milliseconds?): network.jitter = .nanoseconds(Int64(milliseconds * 1e6))
                case ("seed", let seed?): network.seed = UInt64(seed)
                case ("target", let milliseconds?): target = .nanoseconds(Int64(milliseconds * 1e6))
                case ("red", let wish?): isRedundant = wish > 0
                case ("ptime", let milliseconds?): packetTime = Int(milliseconds)
                case ("codec", _):
                    guard let named = AudioCodec.allCases.first(where: { $0.name == parts.last }) else {
                        Benchmarks.fail("\(argument): no such codec")
                    }
                    codec = named
                default: Benchmarks.fail("\(argument): not understood")
                }
            }
            do {
                var call = try SpeechCall(
                    codec: codec, packetTime: packetTime, target: target, isRedundant: isRedundant, network: network)
                let heard = call.carry(samples(of: contents(of: arguments[0])))
                write(heard, to: arguments[1])
                print(call.summary)
            } catch {
                Benchmarks.fail("\(error)")
            }
        }
    }

    private static func samples(of bytes: [UInt8]) -> [Int16] {
        stride(from: 0, to: bytes.count - 1, by: 2).map {
            Int16(truncatingIfNeeded: Int(bytes[$0]) | Int(bytes[$0 + 1]) << 8)
        }
    }

    private static func write(_ samples: [Int16], to path: String) {
        guard let file = fopen(path, "wb") else { Benchmarks.fail("\(path): \(String(cString: strerror(errno)))") }
        let bytes = samples.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] }
        let count = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, count == bytes.count else { Benchmarks.fail("\(path): not written") }
    }
}

/// Loses packets at random, one at a time or so many in a row, and delays each by a time of its own.
private struct ImpairedNetwork {
    struct Settings {
        /// Of all packets.
        var loss = 0.0
        /// Packets lost in a row.
        var burst = 1
        /// The delays are drawn evenly from none to this.
        var jitter = Duration.zero
        var seed: UInt64 = 1
    }

    private struct Flying {
        var at: Instant
        var bytes: [UInt8]
        var isRTCP: Bool
        var toListener: Bool
    }

    private let settings: Settings
    private var random: RandomSource
    private var lostInARow = 0
    private var flying: [Flying] = []
    private static let delay = Duration.milliseconds(20)

    init(_ settings: Settings) {
        self.settings = settings
        random = RandomSource(seed: settings.seed &+ 4_000)
    }

    mutating func carry(_ bytes: [UInt8], isRTCP: Bool, toListener: Bool, at now: Instant) {
        let extra = toListener ? Double.random(in: 0...1, using: &random) * settings.jitter.inSeconds : 0
        if toListener && !isRTCP && isLost() { return }
        flying.append(
            Flying(
                at: now + Self.delay + .nanoseconds(Int64(extra * 1e9)), bytes: bytes, isRTCP: isRTCP,
                toListener: toListener))
    }

    /// A burst begins so often that of all packets the wanted part is lost.
    private mutating func isLost() -> Bool {
        if lostInARow > 0 {
            lostInARow = (lostInARow + 1) % settings.burst
            return true
        }
        let length = Double(settings.burst)
        let begins = settings.loss / (length * (1 - settings.loss) + settings.loss)
        guard Double.random(in: 0..<1, using: &random) < begins else { return false }
        lostInARow = 1 % settings.burst
        return true
    }

    mutating func landed(before end: Instant) -> [(bytes: [UInt8], isRTCP: Bool, toListener: Bool, at: Instant)] {
        let due = flying.filter { $0.at < end }.sorted { $0.at < $1.at }
        flying.removeAll { $0.at < end }
        return due.map { ($0.bytes, $0.isRTCP, $0.toListener, $0.at) }
    }
}

/// One who speaks and one who listens, in steps of 10 ms.
private struct SpeechCall: ~Copyable {
    private static let talkerAddress = SocketAddress(.v4(0xc000_0201), port: 4_000)
    private static let listenerAddress = SocketAddress(.v4(0xc000_0202), port: 5_000)
    private static let period = 480

    private var talker: MediaSession
    private var listener: MediaSession
    private var network: ImpairedNetwork
    private var now: Instant
    /// What was sent from the first sound to the last, and how long that took.
    private var octets: UInt64 = 0
    private var seconds = 0.0

    init(
        codec: AudioCodec, packetTime: Int, target: Duration?, isRedundant: Bool, network: ImpairedNetwork.Settings
    ) throws {
        var formats = ReceiveFormats()
        for (index, codec) in AudioCodec.allCases.enumerated() {
            formats.insert(.audio(codec), payloadType: UInt8(96 + index))
        }
        formats.insert(.redundantAudio, payloadType: 127)
        let payloadType = UInt8(96 + (AudioCodec.allCases.firstIndex(of: codec) ?? 0))
        func configuration(to remote: SocketAddress) -> MediaConfiguration {
            MediaConfiguration(
                codec: codec, payloadType: payloadType, receiveFormats: formats,
                redundancyPayloadType: isRedundant ? 127 : nil, packetTime: packetTime,
                remoteRTP: remote, remoteRTCP: SocketAddress(remote.address, port: remote.port + 1),
                jitterTarget: target)
        }
        let start = Instant(nanoseconds: 1_000_000_000)
        let talker = try MediaSession(
            configuration: configuration(to: Self.listenerAddress), random: RandomSource(seed: network.seed), at: start)
        let listener = try MediaSession(
            configuration: configuration(to: Self.talkerAddress), random: RandomSource(seed: network.seed &+ 1_000),
            at: start)
        self.init(talker: talker, listener: listener, network: ImpairedNetwork(network), now: start)
    }

    private init(
        talker: consuming MediaSession, listener: consuming MediaSession, network: ImpairedNetwork, now: Instant
    ) {
        self.talker = talker
        self.listener = listener
        self.network = network
        self.now = now
    }

    mutating func carry(_ speech: [Int16]) -> [Int16] {
        var heard: [Int16] = []
        let sounding = (speech.firstIndex { $0 != 0 } ?? 0)...(speech.lastIndex { $0 != 0 } ?? 0)
        let silence = [Int16](repeating: 0, count: Self.period)
        for start in stride(from: 0, to: speech.count, by: Self.period) {
            var piece = Array(speech[start..<min(start + Self.period, speech.count)])
            piece += [Int16](repeating: 0, count: Self.period - piece.count)
            let before = talker.statistics.sentOctets
            talker.capture(piece.span, at: now)
            if sounding.contains(start) {
                octets += talker.statistics.sentOctets - before
                seconds += 0.01
            }
            listener.capture(silence.span, at: now)
            if let deadline = talker.deadline, deadline <= now { talker.handleDeadline(at: now) }
            if let deadline = listener.deadline, deadline <= now { listener.handleDeadline(at: now) }
            var output = silence
            var span = output.mutableSpan
            listener.playout(into: &span, at: now)
            heard += output
            launch()
            let next = now + .milliseconds(10)
            for packet in network.landed(before: next) {
                if packet.toListener {
                    listener.receivePacket(
                        packet.bytes.span, from: Self.source(Self.talkerAddress, packet.isRTCP), isRTCP: packet.isRTCP,
                        at: packet.at)
                } else {
                    talker.receivePacket(
                        packet.bytes.span, from: Self.source(Self.listenerAddress, packet.isRTCP),
                        isRTCP: packet.isRTCP, at: packet.at)
                }
            }
            while talker.nextEvent() != nil {}
            while listener.nextEvent() != nil {}
            now = next
        }
        return heard
    }

    private static func source(_ address: SocketAddress, _ isRTCP: Bool) -> SocketAddress {
        isRTCP ? SocketAddress(address.address, port: address.port + 1) : address
    }

    private mutating func launch() {
        var packets: [(bytes: [UInt8], isRTCP: Bool, toListener: Bool)] = []
        while talker.nextPacket({ bytes, _, isRTCP in packets.append((Self.copy(bytes), isRTCP, true)) }) {}
        while listener.nextPacket({ bytes, _, isRTCP in packets.append((Self.copy(bytes), isRTCP, false)) }) {}
        for packet in packets {
            network.carry(packet.bytes, isRTCP: packet.isRTCP, toListener: packet.toListener, at: now)
        }
    }

    private static func copy(_ bytes: Span<UInt8>) -> [UInt8] {
        bytes.withUnsafeBufferPointer { Array($0) }
    }

    var summary: String {
        let heard = listener.statistics
        let bitRate = Int(Double(octets) * 8 / max(0.001, seconds))
        return #"{"name":"speech","bit_rate":\#(bitRate),"lost":\#(heard.lost),"late":\#(heard.late),"#
            + #""recovered":\#(heard.recoveredByFEC),"concealed_ms":\#(heard.concealedMilliseconds),"#
            + #""buffer_ms":\#(heard.bufferMilliseconds)}"#
    }
}
