import EngineKit

/// What a `MediaSession` tells the call that it belongs to. Plain values without heap storage.
package enum MediaEvent: Equatable, Sendable {
    /// The first valid packet of the negotiated media since the start, or since the last new source, was played.
    case firstPacketPlayed(synchronizationSource: UInt32)
    /// A digit was recognised; its end follows exactly once.
    case digitBegan(DTMFDigit, DigitWay)
    case digitEnded(DTMFDigit, DigitWay, milliseconds: Int)
    /// A digit of ours went out whole.
    case digitSent(DTMFDigit, DigitWay, milliseconds: Int)
    /// Media is taken from, and under the symmetric policy sent to, another address than before.
    case sourceChanged(SocketAddress)
    /// The peer's stream goes on under another SSRC.
    case synchronizationSourceChanged(UInt32)
    /// Another sender used our SSRC, and we left it for this one (RFC 3550 §8.2).
    case collisionResolved(synchronizationSource: UInt32)
    /// The peer's RTCP said BYE. No effect on the call.
    case remoteBye
    /// No RTP came for 5 s though the peer should send.
    case silenceBegan
    case silenceEnded
    /// Nothing, neither RTP nor RTCP, came for 30 s though the peer should send: the call is dead.
    case silenceExceeded
    /// Media to a peer of no standing paused, as nobody seems to be there.
    case sendingPaused
    case sendingResumed
}
