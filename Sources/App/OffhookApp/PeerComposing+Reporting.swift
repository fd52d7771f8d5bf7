import SIPUserAgent

/// That somebody writes to us, as an event and as a line.
extension PeerComposing {
    var members: [JSON.Member] {
        [.init("peer", .string(from.uri.shownText)), .init("active", .bool(isActive))]
    }

    var text: String { "\(from.uri) \(isActive ? "is writing" : "writes no more")" }
}
