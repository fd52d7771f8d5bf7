import AudioCodecs
import EngineKit

/// Holds packets back by a fixed target, so that those that the network delayed more still find their time, and says
/// for each moment of playout what is to be played.
///
/// The time axis is the RTP timestamp: `next` is the tick that plays next, and it moves on with the playout whether or
/// not a packet is there. 256 slots, chosen by the low bits of the sequence number; at most 500 ms deep.
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
    }

    package enum Insertion: Equatable, Sendable {
        case stored, late, duplicate
        /// The timeline starts over at this packet.
        case anchored
    }

    struct Slot: BitwiseCopyable, Sendable {
        enum Content: UInt8, BitwiseCopyable, Sendable { case empty, audio, passedOver, consumed }
        var content = Content.empty
        var codec = AudioCodec.opus
        var sequence = SequenceNumber(0)
        var timestamp: UInt32 = 0
        var length = 0
    }

    var slots = FixedBuffer<Slot>(repeating: Slot(), count: Self.slotCount)
    private var payloads: FixedBuffer<UInt8>

    package private(set) var target: Duration
    var codec = AudioCodec.opus
    var isAnchored = false
    /// The next sequence number to be played, and the highest that came.
    var head = SequenceNumber(0)
    var highest = SequenceNumber(0)
    /// The timestamp that plays next, and when.
    var next: UInt32 = 0
    var nextPlaysAt = Instant.zero
    var frameTicks: UInt32 = 960
    /// The end of the silence that builds the target up; nil once playout runs.
    var startsAt: Instant?

    var margins: DelayControl
    /// Concealed without knowing yet whether something was lost or the sender paused, in samples.
    private var undecided = 0
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

    package init(target: Duration) {
        self.target = max(.zero, min(target, Self.maximumDepth))
        payloads = FixedBuffer(repeating: 0, count: Self.slotCount * RTPPacket.maximumLength)
        margins = DelayControl(target: self.target)
    }

    /// Takes another target; the timeline begins anew where it changes.
    package mutating func setTarget(_ target: Duration) {
        let target = max(.zero, min(target, Self.maximumDepth))
        guard target != self.target else { return }
        self.target = target
        margins = DelayControl(target: target)
        reset()
    }

    /// Forgets all packets and the timeline, not the counters: the next packet begins a new one.
    package mutating func reset() {
        for index in 0..<Self.slotCount { slots[index].content = .empty }
        isAnchored = false
        startsAt = nil
        undecided = 0
        wasLateSinceUndecided = false
        margins.reset()
    }

    /// The payload of a slot that `next(at:)` named, and what it is coded in.
    package func payload(of slot: Int) -> (bytes: UnsafeMutableBufferPointer<UInt8>, codec: AudioCodec) {
        let start = slot * RTPPacket.maximumLength
        return (payloads.elements(start..<start + slots[slot].length), slots[slot].codec)
    }

    func place(of sequence: SequenceNumber) -> Int {
        Int(sequence.rawValue) % Self.slotCount
    }

    /// What the margins of the last half second were on average: the delay that the buffer adds.
    package var delay: Duration { margins.average }

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
        shiftIfNeeded()
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
            if ahead <= -Int(frameTicks) {
                // Its time passed while it was thought lost.
                advanceHead()
                continue
            }
            decideUndecided(isLoss: wasLateSinceUndecided)
            slots[place(of: head)].content = .consumed
            next = slot.timestamp
            head = head.advanced(by: 1)
            return .play(slot: place(of: slot.sequence))
        }
    }

    /// The packet of the last `.play` gave so many samples.
    package mutating func played(samples: Int) {
        frameTicks = UInt32(max(1, samples / codec.samplesPerTick))
        advance(ticks: Int(frameTicks))
    }

    private mutating func advance(ticks: Int) {
        next &+= UInt32(truncatingIfNeeded: ticks)
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
        decideUndecided(isLoss: true)
        guard ahead > 0 else {
            head = slot.sequence
            return nil
        }
        let ticks = min(ahead, Int(frameTicks))
        let samples = ticks * codec.samplesPerTick
        advance(ticks: ticks)
        if ticks == ahead { head = slot.sequence }
        if ticks == ahead && found.steps == 1 && slot.codec == .opus {
            return .recover(slot: found.place, samples: samples)
        }
        counters.concealedSamples += UInt64(samples)
        return .conceal(samples: samples)
    }

    /// Redundancy was asked for and not there: the samples were concealed after all.
    package mutating func concealed(samples: Int) {
        counters.concealedSamples += UInt64(max(0, samples))
    }

    private mutating func pause(ticks: Int) -> Step {
        decideUndecided(isLoss: wasLateSinceUndecided)
        let step = min(ticks, Int(frameTicks))
        advance(ticks: step)
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
        counters.late += 1
        wasLateSinceUndecided = true
    }

    mutating func store(
        _ payload: Span<UInt8>, sequence: SequenceNumber, timestamp: UInt32, codec: AudioCodec
    ) {
        let place = place(of: sequence)
        let length = min(payload.count, RTPPacket.maximumLength)
        let memory = payloads.elements(place * RTPPacket.maximumLength..<place * RTPPacket.maximumLength + length)
        for index in 0..<length { memory[index] = payload[index] }
        slots[place] = Slot(
            content: .audio, codec: codec, sequence: sequence, timestamp: timestamp, length: length)
    }

    static func samples(in duration: Duration) -> Int {
        // Rounded down, so that a start which falls between two samples is not waited for twice.
        Int(duration.saturatedNanoseconds * 48 / 1_000_000)
    }
}
