import EngineKit
import SIPUserAgent

/// What does not work for a while.
package struct Outages: Sendable {
    private struct Partition: Sendable {
        let sender: HostID
        let receiver: HostID
        let until: Instant
    }

    private var partitions: [Partition] = []
    /// By phone.
    private var resolvers: [HostID: (failure: ResolverFailure, until: Instant)] = [:]
    private var senders: [HostID: (failure: TransmitFailure, until: Instant)] = [:]

    /// How a resolver fails.
    package enum ResolverFailure: Hashable, Sendable {
        case notFound
        case slow(Duration)
        case silent
    }

    /// From now on nothing gets from one host to the other.
    mutating func cut(_ sender: HostID, _ receiver: HostID, until instant: Instant) {
        partitions.append(Partition(sender: sender, receiver: receiver, until: instant))
    }

    func isCut(_ sender: HostID, _ receiver: HostID, at now: Instant) -> Bool {
        partitions.contains { $0.sender == sender && $0.receiver == receiver && now < $0.until }
    }

    mutating func breakResolver(of host: HostID, _ failure: ResolverFailure, until instant: Instant) {
        resolvers[host] = (failure, instant)
    }

    func resolver(of host: HostID, at now: Instant) -> ResolverFailure? {
        resolvers[host].flatMap { now < $0.until ? $0.failure : nil }
    }

    mutating func breakSending(of host: HostID, _ failure: TransmitFailure, until instant: Instant) {
        senders[host] = (failure, instant)
    }

    func sending(of host: HostID, at now: Instant) -> TransmitFailure? {
        senders[host].flatMap { now < $0.until ? $0.failure : nil }
    }

    mutating func heal() {
        self = Outages()
    }
}
