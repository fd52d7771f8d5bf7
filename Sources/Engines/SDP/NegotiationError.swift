import EngineKit

/// Why an offer or an answer is not taken. The state that was agreed before stays (RFC 3264 §8).
package enum NegotiationError: Error, Hashable, Sendable {
    /// No stream that we can carry: no audio over plain RTP with a codec of ours.
    case nothingInCommon
    /// A stream that would do gives a host name, or an address of another family than ours.
    case unusableAddress(String)
    /// A stream that would do sends us where this peer may not direct us.
    case forbiddenTarget(SocketAddress)
    /// Fewer `m=` lines than before (RFC 3264 §8).
    case fewerStreams
    /// An answer whose `m=` lines do not match the offer's (RFC 3264 §6).
    case mismatchedStreams
    /// The answer refuses the one stream that the first offer had.
    case streamRefused
    /// An offer is outstanding, ours or the peer's (RFC 3264 §4).
    case offerOutstanding
    /// There is no offer to answer, or to be answered.
    case noOffer

    /// The status that a request is owed whose offer met this error: 488, or 491 for a crossed offer (RFC 3261 §14.2).
    package var owedStatus: Int { self == .offerOutstanding ? 491 : 488 }
}

extension NegotiationError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .nothingInCommon: "no audio stream over RTP/AVP with a codec in common"
        case .unusableAddress(let host): "media address \(host) cannot be used"
        case .forbiddenTarget(let target): "media target \(target) is out of bounds for this peer"
        case .fewerStreams: "fewer m= lines than before (RFC 3264 §8)"
        case .mismatchedStreams: "the answer's m= lines do not match the offer's (RFC 3264 §6)"
        case .streamRefused: "the answer refuses the audio stream"
        case .offerOutstanding: "an offer is outstanding (RFC 3264 §4)"
        case .noOffer: "no offer is outstanding"
        }
    }
}
