/// Which way media flows, as the one who says it sees it (RFC 8866 §6.7, RFC 3264 §5.1).
package enum Direction: String, Hashable, Sendable, CaseIterable {
    case sendReceive = "sendrecv"
    case sendOnly = "sendonly"
    case receiveOnly = "recvonly"
    case inactive

    package init(sends: Bool, receives: Bool) {
        switch (sends, receives) {
        case (true, true): self = .sendReceive
        case (true, false): self = .sendOnly
        case (false, true): self = .receiveOnly
        case (false, false): self = .inactive
        }
    }

    /// Reads the value of an `a=` line; every direction is a word of eight letters.
    init?(_ value: ArraySlice<UInt8>) {
        guard value.count == 8 else { return nil }
        self.init(rawValue: value.text)
    }

    package var sends: Bool { self == .sendReceive || self == .sendOnly }
    package var receives: Bool { self == .sendReceive || self == .receiveOnly }

    /// The same flow as the other side says it.
    package var reversed: Direction { Direction(sends: receives, receives: sends) }

    /// The answer to this offered direction from one who wants `wish` (RFC 3264 §6.1): never more than was offered.
    ///
    /// ```
    /// offered \ wish   sendrecv   sendonly   recvonly   inactive
    /// sendrecv         sendrecv   sendonly   recvonly   inactive
    /// sendonly         recvonly   inactive   recvonly   inactive
    /// recvonly         sendonly   sendonly   inactive   inactive
    /// inactive         inactive   inactive   inactive   inactive
    /// ```
    package func answered(wishing wish: Direction) -> Direction {
        Direction(sends: wish.sends && receives, receives: wish.receives && sends)
    }

    /// What a stream of this direction becomes when we put the peer on hold (RFC 3264 §8.4).
    package var held: Direction { Direction(sends: sends, receives: false) }
}
