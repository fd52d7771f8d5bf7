import EngineKit

/// What a `MediaSession` tells the call that it belongs to. Plain values without heap storage.
package enum MediaEvent: Equatable, Sendable {
    /// The first valid packet of the negotiated media since the start, or since the last new source, was played.
    case firstPacketPlayed(synchronizationSource: UInt32)
    /// A digit was recognised; its end follows exactly once.
    case digitBegan(DTMFDigit)
    case digitEnded(DTMFDigit, milliseconds: Int)
    /// A digit of ours went out whole.
    case digitSent(DTMFDigit, milliseconds: Int)
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

/// A key of a telephone: `0` to `9`, `*`, `#`, `A` to `D`, as events 0 to 15 of RFC 4733 §3.2.
package struct DTMFDigit: Hashable, Sendable {
    /// The event code.
    package let code: UInt8

    package init?(code: UInt8) {
        guard code < 16 else { return nil }
        self.code = code
    }

    package init?(_ character: Character) {
        switch character {
        case "0"..."9": code = (character.asciiValue ?? 48) - 48
        case "*": code = 10
        case "#": code = 11
        case "A"..."D": code = (character.asciiValue ?? 65) - 65 + 12
        case "a"..."d": code = (character.asciiValue ?? 97) - 97 + 12
        default: return nil
        }
    }

    package var character: Character {
        let ascii: UInt8 =
            switch code {
            case 0...9: 48 + code
            case 10: 42
            case 11: 35
            default: 65 + code - 12
            }
        return Character(Unicode.Scalar(ascii))
    }
}
