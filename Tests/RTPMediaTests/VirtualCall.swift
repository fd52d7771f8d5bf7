import AudioCodecs
import EngineKit
import RTPMedia

/// What a network does to packets, repeatably.
struct Impairment {
    var loss = 0.0
    var duplication = 0.0
    var delay = Duration.milliseconds(5)
    /// Added to the delay, drawn evenly; more than a packet time of it reorders.
    var jitter = Duration.zero

    static let none = Impairment()
}

/// One end: a media session, what is said into it and what came out of it.
final class Phone {
    var session: MediaSession
    let address: SocketAddress
    var speaks: (Int) -> [Int16] = { [Int16](repeating: 0, count: $0) }
    var heard: [Int16] = []
    var events: [MediaEvent] = []
    var sent: [(bytes: [UInt8], to: SocketAddress, isRTCP: Bool, at: Instant)] = []

    init(_ configuration: MediaConfiguration, address: SocketAddress, seed: UInt64, at now: Instant) throws {
        session = try MediaSession(configuration: configuration, random: RandomSource(seed: seed), at: now)
        self.address = address
    }

    func tone(_ frequency: Double, level: Double = -12) {
        var generator = ToneGenerator(.sine(frequency, level: level))
        speaks = { count in
            var samples = [Int16](repeating: 0, count: count)
            var span = samples.mutableSpan
            generator.fill(&span)
            return samples
        }
    }

    func drain(at now: Instant) {
        while let event = session.nextEvent() { events.append(event) }
        var packets: [(bytes: [UInt8], to: SocketAddress, isRTCP: Bool, at: Instant)] = []
        while session.nextPacket({ bytes, destination, isRTCP in
            packets.append((Array(copying: bytes), destination, isRTCP, now))
        }) {}
        sent += packets
    }

    var digits: String {
        String(
            events.compactMap { event -> Character? in
                if case .digitEnded(let digit, _, _) = event { digit.character } else { nil }
            })
    }

    func detect(_ frequency: Double, from start: Double = 0) -> ToneDetector {
        var detector = ToneDetector(frequency: frequency)
        let part = Array(heard.dropFirst(Int(start * 48_000)))
        detector.receive(part.span)
        return detector
    }
}

/// Two media sessions back to back over a network of its own clock, in steps of 10 ms.
final class VirtualCall {
    static let addressA = SocketAddress(.v4(0xc000_0201), port: 4_000)
    static let addressB = SocketAddress(.v4(0xc000_0202), port: 5_000)

    let a: Phone
    let b: Phone
    var impairment: Impairment
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    private var random: RandomSource
    private var flying: [(at: Instant, order: Int, toB: Bool, bytes: [UInt8], from: SocketAddress, isRTCP: Bool)] = []
    private var order = 0
    private(set) var lostRTP = (toA: 0, toB: 0)
    private var taken = (a: 0, b: 0)
    /// Lets a test take a packet out, or change it.
    var filter: (_ bytes: inout [UInt8], _ toB: Bool, _ isRTCP: Bool, _ at: Instant) -> Bool = { _, _, _, _ in true }

    init(
        _ configurationA: MediaConfiguration, _ configurationB: MediaConfiguration, impairment: Impairment = .none,
        seed: UInt64 = 1
    ) throws {
        let start = Instant(nanoseconds: 1_000_000_000)
        a = try Phone(configurationA, address: Self.addressA, seed: seed, at: start)
        b = try Phone(configurationB, address: Self.addressB, seed: seed &+ 1_000, at: start)
        self.impairment = impairment
        random = RandomSource(seed: seed &+ 2_000)
    }

    /// A configuration that talks to the other end of this test's network.
    static func configuration(
        _ codec: AudioCodec = .opus, to remote: SocketAddress, jitterTarget: Duration? = .milliseconds(40)
    ) -> MediaConfiguration {
        var formats = ReceiveFormats()
        formats.insert(.audio(.opus), payloadType: 96)
        formats.insert(.audio(.pcmu), payloadType: 0)
        formats.insert(.audio(.pcma), payloadType: 8)
        formats.insert(.audio(.g722), payloadType: 9)
        formats.insert(.audio(.l16), payloadType: 97)
        formats.insert(.telephoneEvent(clockRate: 48_000), payloadType: 101)
        formats.insert(.telephoneEvent(clockRate: 8_000), payloadType: 102)
        let payloadType: UInt8 =
            switch codec {
            case .opus: 96
            case .pcmu: 0
            case .pcma: 8
            case .g722: 9
            case .l16: 97
            }
        return MediaConfiguration(
            codec: codec, payloadType: payloadType, receiveFormats: formats,
            sendTelephoneEvent: TelephoneEventFormat(
                payloadType: codec == .opus ? 101 : 102, clockRate: codec.clockRate),
            remoteRTP: remote, remoteRTCP: SocketAddress(remote.address, port: remote.port + 1),
            jitterTarget: jitterTarget)
    }

    func run(_ duration: Duration) {
        let end = now + duration
        while now < end {
            step(a)
            step(b)
            launch()
            let next = now + .milliseconds(10)
            land(until: next)
            now = next
        }
    }

    private func step(_ phone: Phone) {
        var samples = phone.speaks(480)
        if phone.session.hasDigitsToSound {
            var span = samples.mutableSpan
            phone.session.soundDigits(in: &span)
        }
        phone.session.capture(samples.span, at: now)
        if let deadline = phone.session.deadline, deadline <= now { phone.session.handleDeadline(at: now) }
        var output = [Int16](repeating: 0, count: 480)
        var span = output.mutableSpan
        phone.session.playout(into: &span, at: now)
        phone.heard += output
        phone.drain(at: now)
    }

    private func launch() {
        for (bytes, _, isRTCP, at) in a.sent[taken.a...] { launch(bytes, toB: true, isRTCP: isRTCP, at: at) }
        for (bytes, _, isRTCP, at) in b.sent[taken.b...] { launch(bytes, toB: false, isRTCP: isRTCP, at: at) }
        taken = (a.sent.count, b.sent.count)
    }

    private func launch(_ bytes: [UInt8], toB: Bool, isRTCP: Bool, at: Instant) {
        var bytes = bytes
        let isLost = Double.random(in: 0..<1, using: &random) < impairment.loss
        guard filter(&bytes, toB, isRTCP, at), !isLost else {
            if !isRTCP { if toB { lostRTP.toB += 1 } else { lostRTP.toA += 1 } }
            return
        }
        let copies = Double.random(in: 0..<1, using: &random) < impairment.duplication ? 2 : 1
        for _ in 0..<copies {
            let extra = Double.random(in: 0...1, using: &random) * impairment.jitter.inSeconds
            order += 1
            let from = toB ? a.address : b.address
            flying.append(
                (
                    at + impairment.delay + .nanoseconds(Int64(extra * 1e9)), order, toB, bytes,
                    isRTCP ? SocketAddress(from.address, port: from.port + 1) : from, isRTCP
                ))
        }
    }

    private func land(until end: Instant) {
        let due = flying.filter { $0.at < end }.sorted { ($0.at, $0.order) < ($1.at, $1.order) }
        flying.removeAll { $0.at < end }
        for packet in due {
            let phone = packet.toB ? b : a
            phone.session.receivePacket(packet.bytes.span, from: packet.from, isRTCP: packet.isRTCP, at: packet.at)
            phone.drain(at: packet.at)
        }
    }
}

extension Array where Element == UInt8 {
    init(copying bytes: Span<UInt8>) {
        self = []
        for index in bytes.indices { append(bytes[index]) }
    }
}
