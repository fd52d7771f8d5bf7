import EngineKit

/// Decides what becomes of each datagram, from the seed and what the datagram is: what is sent besides does not matter.
struct Network {
    var conditions: NetworkConditions
    /// What becomes of datagrams by their number, from 0 in the order of sending.
    var appointed: [Int: [Mishap]] = [:]
    /// What becomes of these datagrams and of no others; nil: what the conditions make of them.
    var script: [DatagramKey: [Mishap]]?
    private(set) var datagrams = 0
    /// What the conditions or the script did.
    private(set) var mishaps: [DatagramKey: [Mishap]] = [:]
    private let seed: UInt64
    private var lastBytes: [UInt8] = []
    /// How many datagrams of a key were sent at this instant.
    private var copies: [DatagramKey: Int] = [:]
    private var copiesAt = Instant.zero
    private var pieces: UInt64 = 0

    /// What arrives of a datagram, and how much later.
    struct Arrival {
        let delay: Duration
        let bytes: [UInt8]
        var isCorrupted = false
    }

    init(conditions: NetworkConditions, seed: UInt64) {
        self.conditions = conditions
        self.seed = seed
    }

    /// What arrives of the next datagram; nothing where it is lost.
    mutating func fate(of bytes: [UInt8], _ key: DatagramKey) -> [Arrival] {
        defer {
            datagrams += 1
            lastBytes = bytes
        }
        var key = key
        key.copy = copyNumber(of: key)
        var dice = Dice(seed ^ key.fingerprint)
        let delay = dice.duration(in: conditions.delay)
        var happenings = script.map { $0[key] ?? [] } ?? weather(bytes, &dice)
        happenings += appointed[datagrams] ?? []
        guard !happenings.isEmpty else { return [Arrival(delay: delay, bytes: bytes)] }
        mishaps[key] = happenings
        return Self.arrivals(of: bytes, after: delay, happenings, before: lastBytes)
    }

    private mutating func copyNumber(of key: DatagramKey) -> Int {
        if copiesAt != key.at {
            copiesAt = key.at
            copies = [:]
        }
        defer { copies[key, default: 0] += 1 }
        return copies[key] ?? 0
    }

    /// Draws for every kind of mishap, also after one has struck, so that the kinds do not depend on each other.
    private func weather(_ bytes: [UInt8], _ dice: inout Dice) -> [Mishap] {
        let isLost = dice.chance(conditions.loss)
        let isDoubled = dice.chance(conditions.duplication)
        let isLate = dice.chance(conditions.reordering)
        let isCorrupted = dice.chance(conditions.corruption)
        let delays = [
            dice.duration(in: conditions.delay), dice.duration(in: .zero...conditions.lateness),
        ]
        if isLost { return [.lost] }
        var happenings: [Mishap] = []
        if isLate { happenings.append(.late(by: delays[1])) }
        if isDoubled { happenings.append(.doubled(after: delays[0])) }
        if isCorrupted { happenings.append(.corrupted(Self.corruption(of: bytes, &dice))) }
        return happenings
    }

    private static func corruption(of bytes: [UInt8], _ dice: inout Dice) -> Mishap.Corruption {
        let length = max(1, bytes.count)
        switch Int.random(in: 0..<3, using: &dice) {
        case 0: return .bit(Int.random(in: 0..<length * 8, using: &dice))
        case 1: return .truncated(Int.random(in: 0..<length, using: &dice))
        default: return .spliced(Int.random(in: 0..<length, using: &dice))
        }
    }

    private static func arrivals(
        of bytes: [UInt8], after delay: Duration, _ happenings: [Mishap], before last: [UInt8]
    ) -> [Arrival] {
        if happenings.contains(.lost) { return [] }
        let original = bytes
        var bytes = bytes
        var delay = delay
        var copies: [Duration] = []
        for happening in happenings {
            switch happening {
            case .lost: break
            case .late(let lateness): delay += lateness
            case .doubled(let after): copies.append(after)
            case .corrupted(let corruption): bytes = corruption.applied(to: bytes, before: last)
            }
        }
        return ([.zero] + copies).map {
            Arrival(delay: delay + $0, bytes: bytes, isCorrupted: bytes != original)
        }
    }

    // MARK: - Streams

    /// The pieces in which a message arrives over a stream, and the delay of the first.
    mutating func pieces(of bytes: [UInt8]) -> [Arrival] {
        pieces += 1
        var dice = Dice(seed &+ pieces &* 0x9e37_79b9)
        let delay = dice.duration(in: conditions.delay)
        guard conditions.cutsStreams else { return [Arrival(delay: delay, bytes: bytes)] }
        var rest = bytes[...]
        var pieces: [Arrival] = []
        while !rest.isEmpty {
            let length = dice.chance(0.2) ? 1 : Int.random(in: 1...rest.count, using: &dice)
            pieces.append(Arrival(delay: delay, bytes: Array(rest.prefix(length))))
            rest = rest.dropFirst(length)
        }
        return pieces
    }

    mutating func streamDelay() -> Duration {
        pieces += 1
        var dice = Dice(seed &+ pieces &* 0x9e37_79b9)
        return dice.duration(in: conditions.delay)
    }
}

extension Mishap.Corruption {
    func applied(to bytes: [UInt8], before last: [UInt8]) -> [UInt8] {
        switch self {
        case .bit(let index):
            guard bytes.indices.contains(index / 8) else { return bytes }
            var changed = bytes
            changed[index / 8] ^= 1 << UInt8(index % 8)
            return changed
        case .truncated(let count):
            return Array(bytes.prefix(count))
        case .spliced(let count):
            return Array(bytes.prefix(count) + last.dropFirst(count))
        }
    }
}
