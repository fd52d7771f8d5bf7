import EngineKit

/// What the attributes of an RTP stream say.
extension MediaDescription {
    /// The value of the first attribute of this name; nil where it is absent or has none.
    package func attribute(_ name: StaticString) -> String? {
        lines.attribute(name)?.value
    }

    package func has(_ name: StaticString) -> Bool {
        lines.attribute(name) != nil
    }

    /// The stream's own direction attribute; the session's, and then `sendrecv`, stand in for an absent one.
    package var direction: Direction? { lines.direction }

    /// Whether RTP goes plain over UDP. Feedback profiles are taken, as their lines are only a permission.
    package var isPlainRTP: Bool {
        let proto = protoText
        return proto.isSameToken(as: "RTP/AVP") || proto.isSameToken(as: "RTP/AVPF")
    }

    /// What each payload type of the `m=` line stands for, in its order. Left out are numbers above 127, repeated
    /// ones, and dynamic ones that no `a=rtpmap` explains.
    package var mediaFormats: [MediaFormat] {
        let value = value
        let proto = value.word(2)
        guard proto.starts(with: "RTP/".utf8) || proto.starts(with: "UDP/TLS/RTP/".utf8) else { return [] }
        let maps = lines.attributes("rtpmap") { $0.valueText.flatMap(MediaFormat.init(parsingRTPMap:)) }
        let parameters = lines.attributes("fmtp") { $0.formatParameters }
        var seen = InlineArray<128, Bool>(repeating: false)
        var result: [MediaFormat] = []
        for format in value.lazyWords.dropFirst(3) {
            guard let payloadType = format.decimal(UInt8.self), payloadType < 128, !seen[Int(payloadType)] else {
                continue
            }
            seen[Int(payloadType)] = true
            guard
                let format = maps.first(where: { $0.payloadType == payloadType }) ?? MediaFormat.registered(payloadType)
            else { continue }
            result.append(format.with(parameters: parameters.first { $0.payloadType == payloadType }?.text.text))
        }
        return result
    }

    /// `a=ptime`, milliseconds in a packet that the one who says it wants to receive: 1 ... 200, others count as absent.
    package var ptime: Int? { lines.packetTime("ptime") }

    /// `a=maxptime`, the most milliseconds in a packet: 1 ... 200, others count as absent.
    package var maxptime: Int? { lines.packetTime("maxptime") }

    /// `a=rtcp-mux`: RTCP on the port of RTP (RFC 5761 §5.1.1).
    package var rtcpMux: Bool { has("rtcp-mux") }

    /// `a=rtcp:PORT [IN IP4 ADDRESS]` (RFC 3605 §2.1).
    package var rtcp: (port: UInt16, address: IPAddress?)? {
        guard let (number, rest) = lines.attribute("rtcp")?.valueText?.cut(at: UInt8(ascii: " ")) else { return nil }
        guard let port = number.decimal(UInt16.self), port > 0 else { return nil }
        guard let rest, !rest.trimmed.isEmpty else { return (port, nil) }
        guard let address = Connection(parsing: rest)?.address else { return nil }
        return (port, address)
    }
}

extension Attribute {
    /// What an `a=fmtp` says: the payload type, and what stands behind it; nil where that is nothing.
    fileprivate var formatParameters: (payloadType: UInt8, text: ArraySlice<UInt8>)? {
        guard let (number, rest) = valueText?.cut(at: UInt8(ascii: " ")), let payloadType = number.decimal(UInt8.self),
            let text = rest?.trimmed, !text.isEmpty
        else { return nil }
        return (payloadType, text)
    }
}
