import EngineKit

/// What we bring to a negotiation: where we receive, what we speak, what we wish.
package struct LocalMedia: Hashable, Sendable {
    /// Where media is to be sent to us; nil for the address that signalling goes by.
    package var address: IPAddress?
    package var rtpPort: UInt16
    package var rtcpPort: UInt16
    /// The codecs that we take, the one we like best first. The order counts where we offer.
    package var codecs: [CodecKind]
    /// What we want; `sendOnly` holds the peer.
    package var direction: Direction
    /// Milliseconds in a packet that we want to receive, and send where the peer says nothing.
    package var ptime: Int
    /// What we tell a sender of Opus.
    package var opus: OpusParameters
    /// Whether we take older Opus along with newer, and send it so to a peer that takes it too (RFC 2198).
    package var redundancy: Bool

    package init(
        address: IPAddress? = nil, rtpPort: UInt16, rtcpPort: UInt16? = nil,
        codecs: [CodecKind] = [.opus, .pcmu, .pcma], direction: Direction = .sendReceive, ptime: Int = 20,
        opus: OpusParameters = .inbandFEC, redundancy: Bool = false
    ) {
        self.address = address
        self.rtpPort = rtpPort
        self.rtcpPort = rtcpPort ?? rtpPort.nextPort ?? rtpPort
        self.codecs = codecs
        self.direction = direction
        self.ptime = ptime
        self.opus = opus
        self.redundancy = redundancy
    }

    /// The section of our audio stream.
    func section(formats: [MediaFormat], proto: String, direction: Direction, rtcpMux: Bool) -> MediaDescription {
        MediaDescription(port: rtpPort, proto: proto, formats: formats) { writer in
            writer.attribute("ptime", UInt16(min(max(ptime, 3), 120)))
            writer.line(.attribute) { $0 += direction.rawValue.utf8 }
            if rtcpMux {
                writer.line(.attribute) { $0 += "rtcp-mux".utf8 }
            } else if rtcpPort != rtpPort.nextPort {
                writer.attribute("rtcp", rtcpPort)
            }
        }
    }
}

extension OpusParameters {
    /// The one wish that we have by default: redundancy, as our decoder uses it.
    package static var inbandFEC: OpusParameters {
        var parameters = OpusParameters()
        parameters.useInbandFEC = true
        return parameters
    }
}

extension UInt16 {
    /// Where RTCP goes unless said otherwise: one port up (RFC 3550 §11); nil above 65535.
    var nextPort: UInt16? {
        let (port, overflow) = addingReportingOverflow(1)
        return overflow ? nil : port
    }
}
