import EngineKit

package struct MediaSummary: Hashable, Sendable {
    /// As the call's line shows it: `opus 48k`, `pcmu`.
    package var codec: Printable
    /// As the log shows it: rates, parameters, the peer's address.
    package var detail: Printable

    package init(codec: Printable, detail: Printable = "") {
        self.codec = codec
        self.detail = detail
    }
}

package enum HoldState: Hashable, Sendable {
    case none, byUs, byPeer, byBoth
}

/// Peak levels in dBFS since the last report: 0 is full scale, silence is far below -60.
package struct AudioLevels: Hashable, Sendable {
    package var microphone: Double
    package var ear: Double

    package init(microphone: Double, ear: Double) {
        self.microphone = microphone
        self.ear = ear
    }
}

/// How the media of a call does. What is not known is nil.
package struct CallQuality: Hashable, Sendable {
    /// Percent of the packets expected from the peer.
    package var lossPercent: Double?
    package var jitterMilliseconds: Double?
    package var bufferMilliseconds: Double?
    package var roundTripMilliseconds: Double?
    /// What we send, in kbit/s.
    package var kilobitsPerSecond: Double?
    /// Estimated listening quality, 1 to 5.
    package var meanOpinionScore: Double?
    package var packetsSent: UInt64
    package var packetsReceived: UInt64
    package var packetsLost: UInt64
    package var packetsLate: UInt64

    package init(
        lossPercent: Double? = nil, jitterMilliseconds: Double? = nil, bufferMilliseconds: Double? = nil,
        roundTripMilliseconds: Double? = nil, kilobitsPerSecond: Double? = nil, meanOpinionScore: Double? = nil,
        packetsSent: UInt64 = 0, packetsReceived: UInt64 = 0, packetsLost: UInt64 = 0, packetsLate: UInt64 = 0
    ) {
        self.lossPercent = lossPercent
        self.jitterMilliseconds = jitterMilliseconds
        self.bufferMilliseconds = bufferMilliseconds
        self.roundTripMilliseconds = roundTripMilliseconds
        self.kilobitsPerSecond = kilobitsPerSecond
        self.meanOpinionScore = meanOpinionScore
        self.packetsSent = packetsSent
        self.packetsReceived = packetsReceived
        self.packetsLost = packetsLost
        self.packetsLate = packetsLate
    }
}

/// How a call ended.
package struct CallEnd: Hashable, Sendable {
    /// One short phrase: `486 Busy Here`, `hung up`, `no answer`.
    package var cause: Printable
    /// What the person can do about it, where it is a failure.
    package var cure: Printable?
    package var side: Side
    /// Whether it is shown as failed.
    package var isFailure: Bool
    /// Whom the peer says to call in its place: nobody does unless the person wants it.
    package var redirection: Printable?

    package enum Side: Hashable, Sendable {
        case local, remote
    }

    package init(
        cause: Printable, cure: Printable? = nil, side: Side, isFailure: Bool, redirection: Printable? = nil
    ) {
        self.cause = cause
        self.cure = cure
        self.side = side
        self.isFailure = isFailure
        self.redirection = redirection
    }
}

package enum MessageDirection: Hashable, Sendable {
    case sent, received
}

/// One SIP message of a ladder.
package struct MessageSummary: Hashable, Sendable {
    /// `INVITE sip:bob@example.com  opus,pcmu`, `180 Ringing`.
    package var summary: Printable
    package var direction: MessageDirection
    /// When it was sent or received.
    package var time: Instant

    package init(summary: Printable, direction: MessageDirection, time: Instant) {
        self.summary = summary
        self.direction = direction
        self.time = time
    }
}

package enum Severity: Hashable, Sendable {
    case info, warning, failure
}

/// What a log line is about: its second column.
package enum LogSource: Hashable, Sendable {
    case phone
    case account(Printable)
    case call(CallReference)
    /// Any other word, e.g. `audio`.
    case other(Printable)
}
