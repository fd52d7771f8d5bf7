/// The timers of RFC 3261 §17 (its appendix A lists them) and RFC 6026, by their letters.
///
/// Only this file knows the letters. Timer C belongs to a proxy core, which is not a transaction.
package struct TransactionTimers: Equatable, Sendable {
    /// The estimate of the round-trip time.
    package var t1: Duration
    /// The longest interval between retransmissions of a non-INVITE request or of an INVITE's final response.
    package var t2: Duration
    /// How long a message may stay in the network.
    package var t4: Duration

    package init(t1: Duration = .milliseconds(500), t2: Duration = .seconds(4), t4: Duration = .seconds(5)) {
        self.t1 = t1
        self.t2 = t2
        self.t4 = t4
    }

    package static let standard = TransactionTimers()

    /// How long a server transaction leaves its user the choice before it sends 100 itself (§17.2.1).
    package var trying: Duration { .milliseconds(200) }

    /// 64*T1: how long either side waits for the other before it gives up.
    package var giveUp: Duration { t1 * 64 }

    /// The first interval between transmissions of an INVITE. It doubles each time.
    func a(isReliable: Bool) -> Duration? { isReliable ? nil : t1 }

    /// INVITE client transaction: the wait for any response.
    var b: Duration { giveUp }

    /// INVITE client transaction: the wait for retransmissions of a non-2xx final response, which depends on the
    /// peer's T1 and so is never below 32 s.
    func d(isReliable: Bool) -> Duration { isReliable ? .zero : max(.seconds(32), giveUp) }

    /// The first interval between transmissions of a non-INVITE request. It doubles up to T2.
    func e(isReliable: Bool) -> Duration? { isReliable ? nil : t1 }

    /// Non-INVITE client transaction: the wait for a final response.
    var f: Duration { giveUp }

    /// The first interval between transmissions of a non-2xx final response to INVITE. It doubles up to T2.
    func g(isReliable: Bool) -> Duration? { isReliable ? nil : t1 }

    /// INVITE server transaction: the wait for the ACK of a non-2xx final response.
    var h: Duration { giveUp }

    /// INVITE server transaction: the wait for retransmissions of that ACK.
    func i(isReliable: Bool) -> Duration { isReliable ? .zero : t4 }

    /// Non-INVITE server transaction: the wait for retransmissions of the request.
    func j(isReliable: Bool) -> Duration { isReliable ? .zero : giveUp }

    /// Non-INVITE client transaction: the wait for retransmissions of the final response.
    func k(isReliable: Bool) -> Duration { isReliable ? .zero : t4 }

    /// INVITE server transaction: the time in which an accepted INVITE may come again (RFC 6026 §7.1).
    var l: Duration { giveUp }

    /// INVITE client transaction: the time in which further 2xx responses may come (RFC 6026 §7.2).
    var m: Duration { giveUp }

    /// Timers E and G: the interval after `interval`.
    func doubled(_ interval: Duration) -> Duration { min(interval * 2, t2) }
}
