import AudioCodecs
import EngineKit

/// Holds packets back, so that those that the network delayed more still find their time, and says for each moment of
/// playout what is to be played.
///
/// The time axis is the RTP timestamp: `next` is the tick that plays next, and it moves on with the playout whether or
/// not a packet is there. How long packets are held follows what the network needs, or is fixed; what is played is to be
/// made longer or shorter by `correction` to get there. 256 slots, chosen by the low bits of the sequence number; at most
/// 500 ms deep.
package struct JitterBuffer: ~Copyable, Sendable {
    package static let slotCount = 256
    package static let maximumDepth = Duration.milliseconds(500)

    /// What is to be played from `next` on.
    package enum Step: Equatable, Sendable {
        /// Nothing yet: silence for that many samples.
        case silence(samples: Int)
        /// The packet in this slot; `played(samples:)` is owed.
        case play(slot: Int)
        /// A lost packet, of which the one in this slot may hold a copy.
        case recover(slot: Int, samples: Int)
        /// A packet that is lost or late.
        case conceal(samples: Int)
        /// The sender made a pause (discontinuous transmission, a digit).
        case pause(samples: Int)
        /// Not to be heard any more, as its time was concealed until so many samples ago; but the decoder goes on better
        /// with it. Of the packet in this slot, or of the copy that it holds of the one before.
        case absorb(slot: Int, isRedundancy: Bool, samplesAgo: Int)
    }

    package enum Insertion: Equatable, Sendable {
        case stored, late, duplicate
        /// The timeline starts over at this packet.
        case anchored
    }

    struct Slot: BitwiseCopyable, Sendable {
        enum Content: UInt8, BitwiseCopyable, Sendable { case empty, audio, passedOver, consumed }
        var content = Content.empty
        /// Came along with a later packet, not itself.
        var isCopy = false
        var codec = AudioCodec.opus
        var sequence = SequenceNumber(0)
        var timestamp: UInt32 = 0
        /// Of its octets among the payloads.
        var position = 0
        var length = 0
    }

    var slots = FixedBuffer<Slot>(repeating: Slot(), count: Self.slotCount)
    /// As many as 500 ms of the highest rate of Opus have.
    private var payloads = PayloadRing(capacity: 32_768)
    /// No slot has octets from before this position in the payloads.
    private var oldestPosition = 0

    /// What packets are held for whatever the network does; nil: for as long as it needs.
    package private(set) var fixedTarget: Duration?
    var estimate = DelayEstimate()
    var redundancy = RedundancyWatch()
    /// How long before their time samples may be asked for.
    package var period = Duration.milliseconds(10)
    /// How much longer than the fastest packets' is the way that ends with the playout.
    var held = Duration.zero
    /// Packets in a row that came after their time.
    var lateArrivals = 0
    var codec = AudioCodec.opus
    var isAnchored = false
    /// The next sequence number to be played, and the highest that came.
    var head = SequenceNumber(0)
    var highest = SequenceNumber(0)
    /// The timestamp that plays next, and when.
    var next: UInt32 = 0
    var nextPlaysAt = Instant.zero
    /// What `next` is after the first packet's timestamp.
    var nextTicks: Int64 = 0
    var frameTicks: UInt32 = 960
    /// The end of the silence that builds the target up; nil once playout runs.
    var startsAt: Instant?

    /// Concealed without knowing yet whether something was lost or the sender paused, in samples.
    private(set) var undecided = 0
    private var wasLateSinceUndecided = false

    /// Counters over the life of the buffer.
    package struct Counters: Equatable, Sendable {
        package var late: UInt64 = 0
        package var duplicate: UInt64 = 0
        package var reordered: UInt64 = 0
        package var concealedSamples: UInt64 = 0
        /// How often the timeline was set anew or shifted to return to the target.
        package var adjusted: UInt64 = 0

        package init() {}
    }
    package internal(set) var counters = Counters()
    /// Of each packet in its turn: whether it was there.
    package internal(set) var bursts = BurstMeter()

    /// - Parameter target: how long packets are held; nil: as long as the network needs.
    package init(target: Duration? = nil) {
        fixedTarget = target.map(Self.held)
    }

    private static func held(_ target: Duration) -> Duration { max(.zero, min(target, maximumDepth)) }

    /// Takes another target; the timeline begins anew where it changes.
    package mutating func setTarget(_ target: Duration?) {
        let target = target.map(Self.held)
        guard target != fixedTarget else { return }
        fixedTarget = target
        reset()
    }

    /// Forgets all packets and the timeline, not the counters: the next packet begins a new one.
    package mutating func reset() {
        for index in 0..<Self.slotCount { slots[index].content = .empty }
        isAnchored = false
        startsAt = nil
        undecided = 0
        wasLateSinceUndecided = false
        lateArrivals = 0
        estimate.forgetFloor()
    }

    /// The payload of a slot that `next(at:)` named, and what it is coded in.
    package func payload(of slot: Int) -> (bytes: UnsafeMutableBufferPointer<UInt8>, codec: AudioCodec) {
        (payloads.octets(at: slots[slot].position, length: slots[slot].length), slots[slot].codec)
    }

    /// Whether what a slot holds came along with a later packet.
    package func isCopy(_ slot: Int) -> Bool { slots[slot].isCopy }

    func place(of sequence: SequenceNumber) -> Int {
        Int(sequence.rawValue) % Self.slotCount
    }

    /// How long the fastest packets wait: the delay that the buffer adds.
    package var delay: Duration { held }

    // MARK: - Playout

    /// What to play at `position`, the instant at which the next sample will be heard.
    package mutating func next(at position: Instant) -> Step {
        guard isAnchored else { return .silence(samples: Self.samples(in: .milliseconds(10))) }
        if let start = startsAt {
            let wait = Self.samples(in: start - position)
            if wait > 0 { return .silence(samples: wait) }
            startsAt = nil
        }
        nextPlaysAt = position
        while true {
            let slot = slots[place(of: head)]
            guard slot.content != .empty && slot.sequence == head else {
                guard let step = missing() else { continue }
                return step
            }
            if slot.content != .audio {
                // A digit's packet or one that was played already takes no time of its own.
                advanceHead()
                continue
            }
            let ahead = Int(Int32(bitPattern: slot.timestamp &- next))
            if ahead > 0 { return pause(ticks: ahead) }
            if ahead < 0, isTooLate(by: -ahead) {
                // Its time passed while it was thought lost.
                advanceHead()
                bursts.miss()
                bursts.arriveLate()
                guard slot.codec == .opus else { continue }
                return .absorb(
                    slot: place(of: slot.sequence), isRedundancy: false, samplesAgo: -ahead * codec.samplesPerTick)
            }
            decideUndecided(isLoss: wasLateSinceUndecided)
            if slot.isCopy { redundancy.lost() } else { redundancy.played() }
            slots[place(of: head)].content = .consumed
            held += Self.duration(ticks: -ahead, of: codec)
            bursts.hear()
            move(to: slot.timestamp)
            head = head.advanced(by: 1)
            return .play(slot: place(of: slot.sequence))
        }
    }

    /// The packet of the last `.play` gave so many samples.
    package mutating func played(samples: Int) {
        frameTicks = UInt32(max(1, samples / codec.samplesPerTick))
        advance(ticks: Int(frameTicks))
    }

    /// Whether to go back to a packet's time and play it late would hold all that follow for longer than they need, and
    /// the packets behind it are in time.
    private func isTooLate(by ticks: Int) -> Bool {
        guard lateArrivals < 3 else { return false }
        let lateness = Self.duration(ticks: ticks, of: codec)
        return held + lateness > target + Self.duration(ticks: Int(frameTicks), of: codec)
    }

    private mutating func move(to timestamp: UInt32) {
        nextTicks += Int64(Int32(bitPattern: timestamp &- next))
        next = timestamp
    }

    private mutating func advance(ticks: Int) {
        move(to: next &+ UInt32(truncatingIfNeeded: ticks))
        nextPlaysAt += Self.duration(ticks: ticks, of: codec)
    }

    private mutating func advanceHead() {
        slots[place(of: head)].content = .consumed
        head = head.advanced(by: 1)
    }

    /// The head is not there: lost if a later packet is, else perhaps only late. Nil where concealment covered the
    /// gap already, and the head moved on.
    private mutating func missing() -> Step? {
        let distance = head.distance(to: highest)
        guard distance > 0, let found = firstAudio(after: head, through: min(distance, Self.slotCount - 1)) else {
            let samples = Int(frameTicks) * codec.samplesPerTick
            advance(ticks: Int(frameTicks))
            undecided += samples
            return .conceal(samples: samples)
        }
        let slot = slots[found.place]
        let ahead = Int(Int32(bitPattern: slot.timestamp &- next))
        let wasUndecided = undecided > 0
        decideUndecided(isLoss: true)
        redundancy.lost()
        guard ahead > 0 else {
            goOn(with: slot.sequence)
            guard wasUndecided, mayHoldCopy(slot) else { return nil }
            let ago = (Int(frameTicks) - ahead) * codec.samplesPerTick
            return .absorb(slot: found.place, isRedundancy: true, samplesAgo: ago)
        }
        let ticks = min(ahead, Int(frameTicks))
        let samples = ticks * codec.samplesPerTick
        advance(ticks: ticks)
        let isLast = ticks == ahead
        let comesBack = isLast && mayHoldCopy(slot)
        if isLast { goOn(with: slot.sequence, lastComesBack: comesBack) }
        if comesBack {
            return .recover(slot: found.place, samples: samples)
        }
        counters.concealedSamples += UInt64(samples)
        return .conceal(samples: samples)
    }

    /// Leaves out the packets that are missing before one.
    private mutating func goOn(with sequence: SequenceNumber, lastComesBack: Bool = false) {
        bursts.miss(head.distance(to: sequence) - (lastComesBack ? 1 : 0))
        if lastComesBack { bursts.hear() }
        head = sequence
    }

    /// Whether a packet's redundancy is about audio that is not there, no digit or other thing that came.
    private func mayHoldCopy(_ slot: Slot) -> Bool {
        let before = slot.sequence.advanced(by: -1)
        let other = slots[place(of: before)]
        return slot.codec == .opus && (other.content == .empty || other.sequence != before)
    }

    /// What was to be played could not be, or redundancy was asked for and not there: the samples were concealed after all.
    package mutating func concealed(samples: Int) {
        bursts.retract()
        counters.concealedSamples += UInt64(max(0, samples))
    }

    private mutating func pause(ticks: Int) -> Step {
        decideUndecided(isLoss: wasLateSinceUndecided)
        let step = min(ticks, Int(frameTicks))
        // Nobody hears how long a pause is.
        let skipped = min(ticks - step, max(0, -correction / codec.samplesPerTick))
        advance(ticks: step + skipped)
        stretched(by: -skipped * codec.samplesPerTick)
        return .pause(samples: step * codec.samplesPerTick)
    }

    func firstAudio(after head: SequenceNumber, through distance: Int) -> (place: Int, steps: Int)? {
        guard distance >= 1 else { return nil }
        for steps in 1...distance {
            let sequence = head.advanced(by: steps)
            let slot = slots[place(of: sequence)]
            if slot.content == .audio && slot.sequence == sequence { return (place(of: sequence), steps) }
        }
        return nil
    }

    private mutating func decideUndecided(isLoss: Bool) {
        if isLoss { counters.concealedSamples += UInt64(undecided) }
        undecided = 0
        wasLateSinceUndecided = false
    }

    mutating func noteLate() {
        redundancy.came()
        counters.late += 1
        wasLateSinceUndecided = true
    }

    mutating func store(
        _ payload: Span<UInt8>, sequence: SequenceNumber, timestamp: UInt32, codec: AudioCodec, isCopy: Bool = false
    ) {
        let length = min(payload.count, RTPPacket.maximumLength)
        let piece = payloads.append(atMost: length) { memory in
            memory.withUnsafeMutableBufferPointer { memory in
                payload.withUnsafeBufferPointer { _ = memory.update(fromContentsOf: $0[..<length]) }
            }
            return length
        }
        guard let piece else { return }
        slots[place(of: sequence)] = Slot(
            content: .audio, isCopy: isCopy, codec: codec, sequence: sequence, timestamp: timestamp,
            position: piece.position, length: length)
        forgetOverwritten()
    }

    /// What more octets than any codec has came after is lost.
    private mutating func forgetOverwritten() {
        guard !payloads.isKept(oldestPosition) else { return }
        oldestPosition = .max
        for index in 0..<Self.slotCount where slots[index].content == .audio {
            let position = slots[index].position
            if payloads.isKept(position) {
                oldestPosition = min(oldestPosition, position)
            } else {
                slots[index].content = .empty
            }
        }
    }

    static func samples(in duration: Duration) -> Int {
        // Rounded down, so that a start which falls between two samples is not waited for twice.
        let (milliseconds, rest) = duration.saturatedNanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return Int(milliseconds * 48 + rest * 48 / 1_000_000)
    }
}
