import EngineKit

/// The datagrams of an endpoint in a bad network that was made on purpose: those that are on their way.
struct BadNetwork {
    enum Direction { case outward, inward }

    /// What becomes of a datagram once it has passed.
    typealias Arrival = @Sendable (isolated SIPEndpoint) -> Void

    /// What there is no room for is lost, as in any network.
    private static let limit = 4096

    private var outward: ImpairedPath
    private var inward: ImpairedPath
    private var waiting: [UInt64: (direction: Direction, arrive: Arrival)] = [:]
    private var count: UInt64 = 0

    init(_ impairment: NetworkImpairment) {
        // Apart from the media of any call.
        outward = ImpairedPath(impairment, number: .max)
        inward = ImpairedPath(impairment, number: .max - 1)
    }

    mutating func arrival(_ direction: Direction, at now: Instant) -> ImpairedPath.Arrival? {
        direction == .outward ? outward.arrival(of: now) : inward.arrival(of: now)
    }

    /// Nil where too many are on their way.
    mutating func add(_ direction: Direction, _ arrive: @escaping Arrival) -> UInt64? {
        guard waiting.count < Self.limit else { return nil }
        count += 1
        waiting[count] = (direction, arrive)
        return count
    }

    mutating func take(_ number: UInt64) -> Arrival? { waiting.removeValue(forKey: number)?.arrive }

    /// What is on its way out, in its order; what is on its way in is lost with it.
    mutating func takeOutward() -> [Arrival] {
        defer { waiting = [:] }
        return waiting.sorted { $0.key < $1.key }.filter { $0.value.direction == .outward }.map(\.value.arrive)
    }
}

extension SIPEndpoint {
    /// Lets a datagram pass the bad network, which may take its time, or lose or double it.
    func passBadNetwork(_ direction: BadNetwork.Direction, _ arrive: @escaping BadNetwork.Arrival) {
        let now = SystemClock.now
        guard let arrival = badNetwork?.arrival(direction, at: now) else { return }
        for instant in [arrival.first, arrival.copy].compactMap({ $0 }) {
            guard instant > now else {
                arrive(self)
                continue
            }
            guard let number = badNetwork?.add(direction, arrive) else { continue }
            thread.schedule(at: instant) { [weak self] in
                self?.assumeIsolated { $0.arrived(number) }
            }
        }
    }

    private func arrived(_ number: UInt64) {
        guard !isShutDown, let arrive = badNetwork?.take(number) else { return }
        arrive(self)
        settle()
    }

    /// The last words are said, however long the network would take for them.
    func sendDelayedDatagrams() {
        for arrive in badNetwork?.takeOutward() ?? [] { arrive(self) }
    }
}
