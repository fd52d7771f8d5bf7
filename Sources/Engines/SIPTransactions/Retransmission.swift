import EngineKit

/// A message that goes out again and again until its transaction is answered.
struct Retransmission: Equatable, Sendable {
    /// The message as it was first sent, serialised once.
    let bytes: [UInt8]
    /// Nil on reliable transports.
    private(set) var retransmitAt: Instant?
    private(set) var interval: Duration
    let giveUpAt: Instant

    /// - Parameter interval: the time to the first retransmission, nil for none.
    init(of bytes: [UInt8], every interval: Duration?, giveUpAfter patience: Duration, at now: Instant) {
        self.bytes = bytes
        self.interval = interval ?? .zero
        retransmitAt = interval.map { now + $0 }
        giveUpAt = now + patience
    }

    var deadline: Instant {
        retransmitAt.map { min($0, giveUpAt) } ?? giveUpAt
    }

    /// Sends no more; what was sent may still be answered.
    mutating func stop() { retransmitAt = nil }

    enum Step: Equatable {
        case wait, retransmit, giveUp
    }

    /// What is due. After a late call (a machine that slept) one retransmission goes out, not all that were missed.
    mutating func step(at now: Instant, nextInterval: (Duration) -> Duration) -> Step {
        if now >= giveUpAt { return .giveUp }
        guard let retransmitAt, now >= retransmitAt else { return .wait }
        interval = nextInterval(interval)
        self.retransmitAt = now + interval
        return .retransmit
    }
}
