import EngineKit

/// How much longer packets take than the fastest ones, and so how long a buffer has to hold what comes in time.
///
/// What a packet's arrival is later than its timestamp says, over the least such difference of the last two seconds,
/// is its relative delay. Those of the last 500 packets, 10 s of the usual ones, are counted in bins of 2.5 ms.
struct DelayEstimate: ~Copyable, Sendable {
    private static let memory = 500
    private static let binCount = 200
    private static let bin: Int64 = 2_500_000
    /// One packet in so many may come too late.
    private static let lateShare = 100
    /// The floor is the least of the last four blocks.
    private static let block = Duration.milliseconds(500)
    /// More than this, and more than packets are apart, may be no jitter but a shorter way.
    private static let shorterWay: Int64 = 20_000_000
    /// So many packets in a row show that it is one.
    private static let proof = 25

    /// What arrivals were later than the timestamps say, from any origin, in nanoseconds.
    private var differences = FixedBuffer<Int64>(repeating: 0, count: Self.memory)
    private var count = 0
    private var next = 0
    private var bins = FixedBuffer<Int32>(repeating: 0, count: Self.binCount)

    private var floors = InlineArray<4, Int64?>(repeating: nil)
    private var newest = 0
    private var blockEnd = Instant.zero
    private var floor: Int64?
    /// How deep the floor fell, and the packets since, while it is not known whether the way became shorter.
    private var (fall, sinceFall) = (Int64(0), 0)

    /// What all but one in a hundred packets kept within.
    private(set) var needed = Duration.zero

    /// Whether a second of packets was seen.
    var hasLearnt: Bool { count >= 50 }

    /// The relative delay of the fastest packet of the last half second or little more: over zero once the way has
    /// become longer.
    var recentFloor: Duration {
        let before = floors[(newest + floors.count - 1) % floors.count]
        let least = min(floors[newest] ?? .max, before ?? .max)
        return .nanoseconds(least == .max ? 0 : relative(least))
    }

    /// The timeline begins anew: how far packets were apart before still tells what the network does.
    mutating func forgetFloor() {
        if let floor { for index in 0..<count { differences[index] &-= floor } }
        floors = InlineArray(repeating: nil)
        floor = nil
        fall = 0
    }

    /// Takes note of a packet that came at `now` and is `mediaTime` after the origin of the timeline.
    ///
    /// - Returns: its relative delay.
    mutating func receive(mediaTime: Duration, at now: Instant) -> Duration {
        let difference = now.nanoseconds &- mediaTime.saturatedNanoseconds
        var moved = moveFloor(to: difference, at: now)
        if fall > 0, proveShorterWay(by: difference) { moved = true }
        if count == Self.memory {
            if !moved { bins[bin(of: differences[next])] -= 1 }
        } else {
            count += 1
        }
        differences[next] = difference
        next = (next + 1) % Self.memory
        if moved { recount() } else { bins[bin(of: difference)] += 1 }
        needed = .nanoseconds(quantile())
        return .nanoseconds(relative(difference))
    }

    private func relative(_ difference: Int64) -> Int64 {
        let (result, overflow) = difference.subtractingReportingOverflow(floor ?? difference)
        return overflow ? 0 : max(0, result)
    }

    private func bin(of difference: Int64) -> Int {
        Int(min(Int64(Self.binCount - 1), relative(difference) / Self.bin))
    }

    /// Gives whether it did move.
    private mutating func moveFloor(to difference: Int64, at now: Instant) -> Bool {
        if floor == nil || now - blockEnd >= Self.block * floors.count {
            // After a pause the first packet alone does not tell what the fastest take.
            floors = InlineArray(repeating: nil)
            floors[newest] = floor
            blockEnd = now + Self.block
        }
        for _ in floors.indices where now >= blockEnd {
            newest = (newest + 1) % floors.count
            floors[newest] = nil
            blockEnd += Self.block
        }
        floors[newest] = min(floors[newest] ?? difference, difference)
        var least = difference
        for index in floors.indices { least = min(least, floors[index] ?? least) }
        let before = floor
        floor = least
        guard let before else {
            // What is remembered begins at the floor of its own timeline.
            for index in 0..<count { differences[index] &+= least }
            return true
        }
        let difference = before.subtractingReportingOverflow(least)
        if !difference.overflow, difference.partialValue > max(needed.saturatedNanoseconds, Self.shorterWay) {
            (fall, sinceFall) = (difference.partialValue, 0)
        }
        return least != before
    }

    /// Packets that all come so much earlier found a shorter way, and will be as far apart on that as they were before.
    /// Gives whether that is known now.
    private mutating func proveShorterWay(by difference: Int64) -> Bool {
        guard relative(difference) <= Self.shorterWay else {
            fall = 0
            return false
        }
        guard sinceFall == Self.proof else {
            sinceFall += 1
            return false
        }
        for age in sinceFall..<max(sinceFall, count) {
            differences[(next - 1 - age + 2 * Self.memory) % Self.memory] &-= fall
        }
        fall = 0
        return true
    }

    private mutating func recount() {
        for index in 0..<Self.binCount { bins[index] = 0 }
        for index in 0..<count { bins[bin(of: differences[index])] += 1 }
    }

    /// The upper edge of the bin above which no more than those lie that may be late.
    private func quantile() -> Int64 {
        let allowed = Int32(count / Self.lateShare)
        var above: Int32 = 0
        var index = Self.binCount - 1
        while index > 0 {
            above += bins[index]
            if above > allowed { break }
            index -= 1
        }
        return Self.bin * Int64(index + 1)
    }
}
