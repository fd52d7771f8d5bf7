import AudioCodecs
import EngineKit

extension JitterBuffer {
    /// Takes a packet of audio whose source and sequence number are believed.
    package mutating func insert(
        _ payload: Span<UInt8>, sequence: SequenceNumber, timestamp: UInt32, codec: AudioCodec, at now: Instant
    ) -> Insertion {
        guard isAnchored, codec.clockRate == self.codec.clockRate else {
            return anchor(payload, sequence: sequence, timestamp: timestamp, codec: codec, at: now)
        }
        let existing = slots[place(of: sequence)]
        if existing.content != .empty && existing.sequence == sequence && isRecent(sequence) {
            counters.duplicate += 1
            return .duplicate
        }
        let isNewest = highest.distance(to: sequence) > 0
        let steps = head.distance(to: sequence)
        let offset = Int(Int32(bitPattern: timestamp &- next))
        if isNewest && (steps >= Self.slotCount || abs(offset) > depthTicks) {
            // The sender's clock jumped, or a burst came after a long gap: waiting out either would cost delay.
            counters.adjusted += 1
            return anchor(payload, sequence: sequence, timestamp: timestamp, codec: codec, at: now)
        }
        if !isNewest { counters.reordered += 1 }
        self.codec = codec
        margins.receive(margin(of: offset, at: now), at: now)
        if startsAt != nil && steps < 0 && steps > -Self.slotCount / 2 {
            stepBack(to: sequence, timestamp: timestamp, at: now)
        } else if steps < 0 || (startsAt == nil && offset <= -Int(frameTicks)) {
            noteLate()
            markConsumed(sequence)
            return .late
        }
        store(payload, sequence: sequence, timestamp: timestamp, codec: codec)
        if isNewest { highest = sequence }
        return .stored
    }

    /// Takes note of a packet that is no audio (a digit, a keep-alive), so that its number is not thought lost.
    package mutating func passOver(_ sequence: SequenceNumber) {
        guard isAnchored, (0..<Self.slotCount).contains(head.distance(to: sequence)) else { return }
        slots[place(of: sequence)] = Slot(content: .passedOver, sequence: sequence)
        if highest.distance(to: sequence) > 0 { highest = sequence }
    }

    /// Begins the timeline at a packet: it plays one target from now.
    private mutating func anchor(
        _ payload: Span<UInt8>, sequence: SequenceNumber, timestamp: UInt32, codec: AudioCodec, at now: Instant
    ) -> Insertion {
        reset()
        isAnchored = true
        self.codec = codec
        frameTicks = codec.clockRate / 50
        head = sequence
        highest = sequence
        next = timestamp
        startsAt = now + target
        nextPlaysAt = now + target
        margins.receive(target, at: now)
        store(payload, sequence: sequence, timestamp: timestamp, codec: codec)
        return .anchored
    }

    /// An earlier packet than the first one came before playout began: it goes first, as early as it can.
    private mutating func stepBack(to sequence: SequenceNumber, timestamp: UInt32, at now: Instant) {
        let earlier = Int(Int32(bitPattern: next &- timestamp))
        guard earlier > 0, earlier <= depthTicks, let start = startsAt else { return }
        head = sequence
        next = timestamp
        startsAt = max(now, start - Self.duration(ticks: earlier, of: codec))
        nextPlaysAt = startsAt ?? now
    }

    private func isRecent(_ sequence: SequenceNumber) -> Bool {
        abs(highest.distance(to: sequence)) < Self.slotCount
    }

    private mutating func markConsumed(_ sequence: SequenceNumber) {
        guard isRecent(sequence) else { return }
        slots[place(of: sequence)] = Slot(content: .consumed, sequence: sequence)
        if highest.distance(to: sequence) > 0 {
            // Too late itself, and the newest all the same: what is missing before it is lost.
            highest = sequence
        }
    }

    /// How long a packet that arrives now waits for its time; negative: how late it is.
    private func margin(of offset: Int, at now: Instant) -> Duration {
        nextPlaysAt - now + Self.duration(ticks: offset, of: codec)
    }

    private var depthTicks: Int {
        Int(Self.maximumDepth.saturatedNanoseconds / 1_000 * Int64(codec.clockRate) / 1_000_000)
    }

    static func duration(ticks: Int, of codec: AudioCodec) -> Duration {
        .nanoseconds(Int64(ticks) * 1_000_000_000 / Int64(codec.clockRate))
    }

    /// Moves the timeline by whole frames where the fastest packets of the last half second waited much longer or
    /// shorter than the target: after a change of route, or as the sender's clock drifts from ours.
    mutating func shiftIfNeeded() {
        guard let error = margins.takeError() else { return }
        let frame = Self.duration(ticks: Int(frameTicks), of: codec)
        let frames = error.inSeconds / max(0.001, frame.inSeconds)
        let shift: Int
        // Three quarters and one half: neither step leads to where the other one is taken.
        if frames > 0.75 {
            shift = max(1, Int(frames))
        } else if frames < -0.5 {
            shift = -max(1, Int((-frames).rounded(.up)))
        } else {
            return
        }
        next &+= UInt32(truncatingIfNeeded: shift * Int(frameTicks))
        counters.adjusted += 1
    }
}

/// Watches how long packets wait in the buffer, in blocks of half a second.
struct DelayControl: Sendable {
    private static let block = Duration.milliseconds(500)
    private static let leastCount = 5

    private let target: Duration
    private var blockEnd: Instant?
    private var longest = Duration.zero
    private var sum = 0.0
    private var count = 0
    private var error: Duration?
    private(set) var average: Duration

    init(target: Duration) {
        self.target = target
        average = target
    }

    mutating func reset() {
        blockEnd = nil
        count = 0
        error = nil
    }

    /// A packet will wait, or would have had to, for `margin`.
    mutating func receive(_ margin: Duration, at now: Instant) {
        if count == 0 {
            longest = margin
            sum = 0
            blockEnd = blockEnd.map { max($0, now) } ?? now + Self.block
        }
        longest = max(longest, margin)
        sum += margin.inSeconds
        count += 1
        guard let end = blockEnd, now >= end, count >= Self.leastCount else { return }
        average = .nanoseconds(Int64(max(-10, min(10, sum / Double(count))) * 1e9))
        error = longest - target
        count = 0
        blockEnd = now + Self.block
    }

    /// How far the fastest packets are from the target, once for each block.
    mutating func takeError() -> Duration? {
        defer { error = nil }
        return error
    }
}
