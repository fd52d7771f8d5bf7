import AudioCodecs
import EngineKit

extension JitterBuffer {
    /// What the first packets of a call are held for, when nothing is known of the network.
    static let initialTarget = Duration.milliseconds(20)
    /// For what measuring and the pace of the playout leave open.
    private static let safety = Duration.milliseconds(1)
    /// Less than so much too long is let be: each seam costs a little.
    private static let tooLong = Duration.milliseconds(8)
    private static let tooShort = Duration.milliseconds(4)

    /// How long the fastest packets are to be held.
    package var target: Duration {
        if let fixedTarget { return fixedTarget }
        var wanted = estimate.needed + Self.safety + period
        wanted += redundancy.reach(packetTime: Self.duration(ticks: Int(frameTicks), of: codec))
        return min(wanted, Self.maximumDepth)
    }

    /// By how many samples what is played next should be longer, or shorter where that is negative, so that packets
    /// are held for as long as they are to be.
    package var correction: Int {
        guard isAnchored, startsAt == nil, fixedTarget != nil || estimate.hasLearnt else { return 0 }
        let excess = fixedTarget == nil ? held - target : held - estimate.recentFloor - target
        if excess > Self.tooLong || excess < .zero - Self.tooShort {
            return -Int(excess.saturatedNanoseconds * 48 / 1_000_000)
        }
        return 0
    }

    /// What was played was made so many samples longer.
    package mutating func stretched(by samples: Int) {
        guard samples != 0 else { return }
        counters.adjusted += 1
        let duration = Duration.nanoseconds(Int64(samples) * 1_000_000 / 48)
        held += duration
        nextPlaysAt += duration
    }

    /// The packet that goes on where the last one ended; nil where that has not come. As after `.play`,
    /// `played(samples:)` is owed.
    package mutating func takeFollowing() -> Int? {
        let slot = slots[place(of: head)]
        guard slot.content == .audio, slot.sequence == head, slot.timestamp == next, startsAt == nil else { return nil }
        if slot.isCopy { redundancy.lost() } else { redundancy.played() }
        bursts.hear()
        slots[place(of: head)].content = .consumed
        head = head.advanced(by: 1)
        return place(of: slot.sequence)
    }
}

/// Whether packets get lost that a later one would bring back, if only it was there in time.
struct RedundancyWatch: Sendable {
    /// 250 packets, 5 s of the usual ones.
    private static let memory = 0.996
    /// The first loss counts, and no other for 15 s.
    private static let (rising, falling) = (0.003, 0.000_2)
    private static let patience = 50

    private var loss = 0.0
    private var isLossy = false
    /// Packets of speech since one held a copy of the one before. At first it is hoped that they do.
    private var sinceCopy = 0
    /// How much later copies of whole packets come, and packets since one came at all and since one came as late.
    private var copyReach = Duration.zero
    private var (sinceCopyOfPacket, sinceLatestCopy) = (patience, patience)

    mutating func received(reach: Duration) {
        sinceCopyOfPacket = 0
        guard reach >= copyReach || sinceLatestCopy >= Self.patience else { return }
        copyReach = reach
        sinceLatestCopy = 0
    }

    mutating func received(_ redundancy: OpusDecoder.Redundancy) {
        sinceCopyOfPacket = min(sinceCopyOfPacket + 1, Self.patience)
        sinceLatestCopy = min(sinceLatestCopy + 1, Self.patience)
        switch redundancy {
        case .copy: sinceCopy = 0
        case .none: sinceCopy = min(sinceCopy + 1, Self.patience)
        case .silence: break
        }
    }

    mutating func played() {
        loss *= Self.memory
        isLossy = loss > (isLossy ? Self.falling : Self.rising)
    }

    /// The one before the next packet is not there.
    mutating func lost() {
        loss = loss * Self.memory + 1 - Self.memory
        isLossy = loss > (isLossy ? Self.falling : Self.rising)
    }

    /// What was taken for lost was late.
    mutating func came() {
        loss = max(0, loss - 1 + Self.memory)
    }

    /// How much longer than for the network alone packets are to be held.
    func reach(packetTime: Duration) -> Duration {
        guard isLossy else { return .zero }
        if sinceCopyOfPacket < Self.patience { return copyReach }
        return sinceCopy < Self.patience ? packetTime : .zero
    }
}
