import EngineKit

/// When to send RTCP: RFC 3550 §6.3 and A.7, for the two members of a call.
///
/// The first report comes about one to three seconds after the start, the further ones 2 to 6 s apart: 5 s drawn
/// between half and one and a half and divided by e - 3/2, with timer reconsideration.
package struct RTCPSchedule: Sendable {
    private static let minimumInterval = 5.0
    private static let compensation = 2.71828 - 1.5
    private static let senderFraction = 0.25
    /// 5 % of 64 kbit/s, octets a second.
    private static let bandwidth = 0.05 * 64_000 / 8

    package private(set) var deadline: Instant
    private var sentAt: Instant
    private var isInitial = true
    private var averageSize = 128.0
    private var members = 1
    private var weSend = true
    private var peerSends = false

    package init(at now: Instant, random: inout RandomSource) {
        sentAt = now
        deadline = now
        deadline = now + interval(&random)
    }

    /// Follows whether either side sent RTP since the report before last.
    package mutating func setSenders(us: Bool, peer: Bool) {
        weSend = us
        peerSends = peer
    }

    /// Whether a report is due now. Where the timer reconsiders, the deadline moves and the answer is no.
    package mutating func isDue(at now: Instant, random: inout RandomSource) -> Bool {
        guard now >= deadline else { return false }
        let next = sentAt + interval(&random)
        guard next <= now else {
            deadline = next
            return false
        }
        return true
    }

    /// A report of so many octets, the UDP and IP headers not counted, went out.
    package mutating func sent(octets: Int, at now: Instant, random: inout RandomSource) {
        learn(octets)
        sentAt = now
        isInitial = false
        deadline = now + interval(&random)
    }

    package mutating func received(octets: Int) {
        members = 2
        learn(octets)
    }

    private mutating func learn(_ octets: Int) {
        // §6.3.3 counts the headers of the layers below: 20 octets of IP and 8 of UDP.
        averageSize += (Double(octets + 28) - averageSize) / 16
    }

    /// `rtcp_interval` of A.7.
    private func interval(_ random: inout RandomSource) -> Duration {
        let senders = (weSend ? 1 : 0) + (peerSends ? 1 : 0)
        var share = Self.bandwidth
        var count = members
        if Double(senders) <= Double(members) * Self.senderFraction {
            share *= weSend ? Self.senderFraction : 1 - Self.senderFraction
            count = weSend ? senders : members - senders
        }
        let minimum = isInitial ? Self.minimumInterval / 2 : Self.minimumInterval
        let seconds = max(minimum, averageSize * Double(count) / share)
        let drawn = seconds * Double.random(in: 0.5..<1.5, using: &random) / Self.compensation
        return .nanoseconds(Int64(drawn * 1e9))
    }
}
