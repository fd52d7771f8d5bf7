import EngineKit

/// What the attributes of an RTP stream say.
extension MediaDescription {
    /// The value of the first attribute of this name; nil where it is absent or has none.
    package func attribute(_ name: String) -> String? {
        attributes.first { $0.name == name }?.value
    }

    package func has(_ name: String) -> Bool {
        attributes.contains { $0.name == name }
    }

    /// The stream's own direction attribute; the session's, and then `sendrecv`, stand in for an absent one.
    package var direction: Direction? {
        attributes.lazy.compactMap(\.direction).first
    }

    /// Whether RTP goes plain over UDP. Feedback profiles are taken, as their lines are only a permission.
    package var isPlainRTP: Bool {
        proto.isSameToken(as: "RTP/AVP") || proto.isSameToken(as: "RTP/AVPF")
    }

    /// What each payload type of the `m=` line stands for, in its order. Left out are numbers above 127, repeated
    /// ones, and dynamic ones that no `a=rtpmap` explains.
    package var mediaFormats: [MediaFormat] {
        guard proto.utf8.starts(with: "RTP/".utf8) || proto.utf8.starts(with: "UDP/TLS/RTP/".utf8) else { return [] }
        var maps = InlineArray<128, MediaFormat?>(repeating: nil)
        for attribute in attributes where attribute.name == "rtpmap" {
            guard let map = attribute.value.flatMap(MediaFormat.init(parsingRTPMap:)) else { continue }
            let index = Int(map.payloadType)
            maps[index] = maps[index] ?? map
        }
        var seen = InlineArray<128, Bool>(repeating: false)
        var result: [MediaFormat] = []
        for format in formats {
            guard let payloadType = Array(format.utf8)[...].decimal(UInt8.self), payloadType < 128,
                !seen[Int(payloadType)]
            else { continue }
            seen[Int(payloadType)] = true
            guard let map = maps[Int(payloadType)] ?? MediaFormat.registered(payloadType) else { continue }
            result.append(map.with(parameters: formatParameters(for: payloadType)))
        }
        return result
    }

    /// The value of the first `a=fmtp` for a payload type, behind the number.
    package func formatParameters(for payloadType: UInt8) -> String? {
        for attribute in attributes where attribute.name == "fmtp" {
            let value = Array((attribute.value ?? "").utf8)[...]
            let (number, rest) = value.cut(at: " ")
            if number.decimal(UInt8.self) == payloadType, let rest = rest?.trimmed, !rest.isEmpty { return rest.text }
        }
        return nil
    }

    /// `a=ptime`, milliseconds in a packet that the one who says it wants to receive: 1 ... 200, others count as absent.
    package var ptime: Int? { attributes.packetTime("ptime") }

    /// `a=maxptime`, the most milliseconds in a packet: 1 ... 200, others count as absent.
    package var maxptime: Int? { attributes.packetTime("maxptime") }

    /// `a=rtcp-mux`: RTCP on the port of RTP (RFC 5761 §5.1.1).
    package var rtcpMux: Bool { has("rtcp-mux") }

    /// `a=rtcp:PORT [IN IP4 ADDRESS]` (RFC 3605 §2.1).
    package var rtcp: (port: UInt16, address: IPAddress?)? {
        guard let text = attribute("rtcp") else { return nil }
        let (number, rest) = Array(text.utf8)[...].cut(at: " ")
        guard let port = number.decimal(UInt16.self), port > 0 else { return nil }
        guard let rest, !rest.trimmed.isEmpty else { return (port, nil) }
        guard let address = Connection(parsing: Array(rest))?.address else { return nil }
        return (port, address)
    }
}

extension [Attribute] {
    /// Milliseconds in the first attribute of this name, where it says 1 ... 200.
    func packetTime(_ name: String) -> Int? {
        guard let text = first(where: { $0.name == name })?.value,
            let value = [UInt8](text.utf8)[...].words.first?.decimal(Int.self), (1...200).contains(value)
        else { return nil }
        return value
    }
}

extension Attribute {
    var direction: Direction? {
        value == nil ? Direction(rawValue: name) : nil
    }
}
