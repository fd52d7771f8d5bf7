import EngineKit

/// Offer and answer within one dialog (RFC 3264): at most one offer is outstanding, and what was agreed before stays
/// until an answer replaces it.
///
/// A value: an INVITE that forks is answered once in each early dialog, so each keeps a copy of its own.
package struct OfferAnswer: Sendable {
    /// What we bring and wish; a change counts from the next offer or answer on.
    package var local: LocalMedia
    /// Where this peer may direct our media.
    package var targets: MediaTargetPolicy
    /// What the last completed exchange came to, or the preview of it in a provisional response.
    package internal(set) var agreed: AgreedMedia?
    /// The last description that we wrote, to be sent again as it is.
    package internal(set) var localDescription: SessionDescription?
    /// The peer's description in the last completed exchange.
    package internal(set) var remoteDescription: SessionDescription?

    var state = State.stable
    /// Our side of the last completed exchange, to be offered again as it is.
    var settled: Settled?
    /// The streams of the last completed exchange as we described them, and which one is ours.
    var layout: [MediaDescription] = []
    var audioIndex = 0
    /// Every payload type that a description of ours used, the newest meaning of each. A number keeps its meaning for
    /// the whole session (RFC 3264 §8.3.2).
    var assigned: [MediaFormat] = []
    private let sessionID: UInt64
    private var version: UInt64

    enum State: Sendable {
        case stable
        /// Ours is unanswered.
        indirect case localOffer(LocalOffer)
        /// The peer's is unanswered. No stream: it removes the one that was there.
        indirect case remoteOffer(SessionDescription, RemoteStream?)
    }

    /// What a description of ours said that both sides agreed on.
    struct Settled: Sendable {
        var description: SessionDescription
        var offer: LocalOffer
    }

    /// An offer of ours, as it was when it was made.
    struct LocalOffer: Sendable {
        var audioIndex: Int
        var streamCount: Int
        var formats: [MediaFormat]
        var direction: Direction
        var media: LocalMedia
        var address: IPAddress
        /// The answer in a provisional response, which the final one repeats (RFC 3261 §13.2.1).
        var earlyAnswer: SessionDescription?
    }

    /// - Parameter sessionID: random; 63 bits of it are used (RFC 3264 §5).
    package init(local: LocalMedia, sessionID: UInt64, targets: MediaTargetPolicy = .init(signallingSource: nil)) {
        self.local = local
        self.targets = targets
        self.sessionID = sessionID & UInt64(Int64.max)
        version = 1
    }

    package var hasLocalOffer: Bool {
        if case .localOffer = state { true } else { false }
    }

    package var hasRemoteOffer: Bool {
        if case .remoteOffer = state { true } else { false }
    }

    /// The peer's offer that is unanswered.
    package var remoteOffer: SessionDescription? {
        if case .remoteOffer(let offer, _) = state { offer } else { nil }
    }

    /// Whether an offer of either side is unanswered.
    package var isOutstanding: Bool { hasLocalOffer || hasRemoteOffer }

    /// The offer failed, or was withdrawn: what was agreed before holds (RFC 3264 §8).
    package mutating func cancelOffer() {
        state = .stable
    }

    /// Makes a description out of `media`, as a new version where it differs from the last one (RFC 3264 §8).
    mutating func describe(
        _ media: [MediaDescription], address: IPAddress, answering offer: SessionDescription? = nil
    ) -> SessionDescription {
        let connection = Connection(address)
        func description(_ version: UInt64) -> SessionDescription {
            SessionDescription(
                sessionID: sessionID, version: version, connection: connection, answering: offer, media: media)
        }
        var result = description(version)
        if let last = localDescription, last != result {
            version &+= 1
            result = description(version)
        }
        localDescription = result
        return result
    }

    /// Remembers what the payload types of a description of ours mean.
    mutating func assign(_ formats: [MediaFormat]) {
        assigned.removeAll { known in formats.contains { $0.payloadType == known.payloadType } }
        assigned += formats
    }
}
