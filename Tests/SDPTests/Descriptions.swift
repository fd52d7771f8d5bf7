import EngineKit

@testable import SDP

/// A description from its lines, each ended by CRLF.
func description(_ lines: String...) throws -> SessionDescription {
    try SessionDescription(parsing: wire(lines))
}

func wire(_ lines: [String]) -> [UInt8] {
    lines.flatMap { Array($0.utf8) + [0x0d, 0x0a] }
}

/// An offer of a peer at 192.0.2.7 with these lines from the first `m=` on.
func peer(_ media: String..., version: Int = 1) throws -> SessionDescription {
    try SessionDescription(
        parsing: wire(["v=0", "o=peer 7 \(version) IN IP4 192.0.2.7", "s=-", "c=IN IP4 192.0.2.7", "t=0 0"] + media))
}

let ourAddress = IPAddress.v4(0xc000_0209)  // 192.0.2.9
let peerAddress = IPAddress.v4(0xc000_0207)  // 192.0.2.7

func negotiation(
    _ codecs: [CodecKind] = [.opus, .pcmu, .pcma], direction: Direction = .sendReceive
) -> OfferAnswer {
    OfferAnswer(local: LocalMedia(rtpPort: 5004, codecs: codecs, direction: direction), sessionID: 42)
}

extension SessionDescription {
    var text: String { String(decoding: bytes(), as: UTF8.self) }

    /// The lines from the first `m=` on.
    var mediaLines: [String] {
        media.flatMap { $0.lines.map { "\($0.letter)\($0.text)" } }
    }
}
