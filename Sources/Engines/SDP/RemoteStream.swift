import EngineKit

/// The one audio stream of a peer's description that we carry, read into what a negotiation needs.
struct RemoteStream: Hashable, Sendable {
    /// Its place among the `m=` lines.
    var index: Int
    var section: MediaDescription
    /// As the peer says it, except that a zero address receives nothing (RFC 3264 §8.4).
    var direction: Direction
    var rtp: SocketAddress?
    var rtcp: SocketAddress?
    var withheld: SocketAddress?
    /// The first format of each codec of ours, in the peer's order.
    var codecs: [MediaFormat]
    /// The first telephone-event of each clock rate that we carry digits in, in the peer's order.
    var telephoneEvents: [MediaFormat]
    /// The first that takes older packets of its Opus along with newer ones.
    var redundancy: MediaFormat?
    /// Whether it names any such format: what comes in one is known by our own description.
    var hasRedundancy = false
    var ptime: Int?
    var maxptime: Int?

    /// Finds the stream: that of slot `preferred` if it will do, else the first that will.
    static func select(
        in description: SessionDescription, codecs: [CodecKind], preferring preferred: Int?,
        targets: MediaTargetPolicy
    ) throws(NegotiationError) -> RemoteStream {
        var obstacle = NegotiationError.nothingInCommon
        func stream(at index: Int) -> RemoteStream? {
            do {
                return try RemoteStream(at: index, of: description, codecs: codecs, targets: targets)
            } catch {
                if obstacle == .nothingInCommon { obstacle = error }
                return nil
            }
        }
        if let preferred, let stream = stream(at: preferred) { return stream }
        for index in description.media.indices where index != preferred {
            if let stream = stream(at: index) { return stream }
        }
        throw obstacle
    }

    /// Nil where the section is no stream that we could carry; an error where only its address is in the way.
    init?(
        at index: Int, of description: SessionDescription, codecs: [CodecKind], targets: MediaTargetPolicy
    ) throws(NegotiationError) {
        guard description.media.indices.contains(index) else { return nil }
        let section = description.media[index]
        guard section.kind == .audio, section.port != 0, section.isPlainRTP else { return nil }
        let formats = section.mediaFormats
        self.codecs = formats.firstOfEach { format in format.codec.flatMap { codecs.contains($0) ? $0 : nil } }
        guard !self.codecs.isEmpty else { return nil }
        telephoneEvents = formats.firstOfEach { $0.isTelephoneEvent ? $0.clockRate : nil }
        if let opus = self.codecs.first(where: { $0.codec == .opus }) {
            redundancy = formats.first { $0.isRedundancy(of: opus.payloadType) }
            hasRedundancy = formats.contains(where: \.isRedundancy)
        }
        self.index = index
        self.section = section
        ptime = description.ptime(of: section)
        maxptime = section.maxptime
        direction = description.direction(of: section)

        guard let connection = description.connection(of: section) else {
            throw .unusableAddress("(no c= line)")
        }
        guard let address = connection.address else { throw .unusableAddress(connection.host) }
        guard address != .unspecified, address != .unspecifiedV6 else {
            direction = Direction(sends: direction.sends, receives: false)
            return
        }
        let target = SocketAddress(address, port: section.port)
        switch targets.verdict(on: target) {
        case .forbidden: throw .forbiddenTarget(target)
        case .withheld: withheld = target
        case .allowed:
            rtp = target
            rtcp = Self.rtcpTarget(of: section, rtp: target, targets: targets)
        }
    }

    private static func rtcpTarget(
        of section: MediaDescription, rtp: SocketAddress, targets: MediaTargetPolicy
    ) -> SocketAddress? {
        guard let said = section.rtcp else {
            return rtp.port.nextPort.map { SocketAddress(rtp.address, port: $0) }
        }
        let target = SocketAddress(said.address ?? rtp.address, port: said.port)
        return targets.verdict(on: target) == .allowed && target.address.isV4 == rtp.address.isV4 ? target : nil
    }

    /// Milliseconds in a packet that `format` is to be sent in: the peer's wish, within its bounds, as the codec can.
    func packetTime(of format: MediaFormat, otherwise local: Int) -> Int {
        let opus = format.opus
        var wish = ptime ?? opus?.ptime ?? local
        if let least = opus?.minptime { wish = max(wish, least) }
        if let most = maxptime ?? opus?.maxptime { wish = min(wish, most) }
        return format.codec?.packetTime(notAbove: wish) ?? 20
    }

    /// How digits go beside `format`: at its clock rate, else as the peer takes them at all (RFC 4733 §2.1).
    func telephoneEvent(beside format: MediaFormat, among allowed: [MediaFormat]) -> MediaFormat? {
        allowed.first { $0.clockRate == format.clockRate } ?? allowed.first
    }
}

extension [MediaFormat] {
    /// The first element of each key, in order; those without a key left out.
    fileprivate func firstOfEach<Key: Equatable>(_ key: (MediaFormat) -> Key?) -> [MediaFormat] {
        var firsts: [MediaFormat] = []
        for format in self {
            guard let found = key(format), !firsts.contains(where: { key($0) == found }) else { continue }
            firsts.append(format)
        }
        return firsts
    }
}
