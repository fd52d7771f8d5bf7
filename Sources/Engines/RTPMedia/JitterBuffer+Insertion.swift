import AudioCodecs
import EngineKit

extension JitterBuffer {
    /// Takes a packet of audio whose source and sequence number are believed.
    package mutating func insert(
        _ payload: Span<UInt8>, sequence: SequenceNumber, timestamp: UInt32, codec: AudioCodec, at now: Instant
    ) -> Insertion {
        guard isAnchored, codec.clockRate == self.codec.clockRate else {
            if isAnchored, isRecent(sequence), highest.distance(to: sequence) <= 0 {
                // One of before the clock changed, which others overtook.
                noteLate()
                return .late
            }
            return anchor(payload, sequence: sequence, timestamp: timestamp, codec: codec, at: now)
        }
        let existing = slots[place(of: sequence)]
        if existing.content != .empty && existing.sequence == sequence && isRecent(sequence) && !existing.isCopy {
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
        guard abs(offset) <= depthTicks else {
            // Of another time than those that it goes between.
            noteLate()
            markConsumed(sequence)
            return .late
        }
        self.codec = codec
        measure(offset: offset, at: now)
        redundancy.received(codec == .opus ? OpusDecoder.redundancy(in: payload) : .none)
        if startsAt != nil && steps < 0 && steps > -Self.slotCount / 2 {
            stepBack(to: sequence, timestamp: timestamp, at: now)
        } else if steps < 0 {
            noteLate()
            bursts.arriveLate()
            markConsumed(sequence)
            return .late
        }
        store(payload, sequence: sequence, timestamp: timestamp, codec: codec)
        if isNewest { highest = sequence }
        guard startsAt == nil, offset <= -Int(frameTicks) else { return .stored }
        noteLate()
        return .late
    }

    /// Learns from a packet how long the network takes and how long the playout lets packets wait.
    private mutating func measure(offset: Int, at now: Instant) {
        let mediaTime = Self.duration(ticks: Int(truncatingIfNeeded: nextTicks) + offset, of: codec)
        var relative = estimate.receive(mediaTime: mediaTime, at: now)
        let margin = margin(of: offset, at: now)
        lateArrivals = margin < .zero ? lateArrivals + 1 : 0
        if margin + relative > Self.maximumDepth {
            // No packet is held for longer: what was so much faster came before a stall of the network or the sender.
            estimate.forgetFloor()
            relative = .zero
        }
        held = margin + relative
    }

    /// Takes a copy of a packet that another one brought along, which belongs `offset` ticks before that one and stands
    /// for `ticks`. Where the packet came itself, or its time is over, it is of no use.
    package mutating func fill(
        _ payload: Span<UInt8>, ticks: Int, codec: AudioCodec, offset: UInt32, before packet: RTPPacket
    ) {
        guard isAnchored, codec.clockRate == self.codec.clockRate, ticks > 0, offset > 0, Int(offset) % ticks == 0
        else { return }
        // A copy does not tell its sequence number, but its time does where the sender makes no pauses.
        let sequence = packet.sequenceNumber.advanced(by: -(Int(offset) / ticks))
        let timestamp = packet.timestamp &- offset
        guard abs(Int(Int32(bitPattern: timestamp &- next))) <= depthTicks else { return }
        redundancy.received(reach: Self.duration(ticks: Int(offset), of: codec))
        let existing = slots[place(of: sequence)]
        guard head.distance(to: sequence) >= 0, sequence.distance(to: highest) > 0,
            existing.content == .empty || existing.sequence != sequence
        else { return }
        if let next = firstAudio(after: sequence, through: min(sequence.distance(to: highest), Self.slotCount - 1)),
            Int32(bitPattern: slots[next.place].timestamp &- timestamp) < Int32(truncatingIfNeeded: ticks)
        {
            return
        }
        store(payload, sequence: sequence, timestamp: timestamp, codec: codec, isCopy: true)
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
        nextTicks = 0
        let wait = max(target, fixedTarget == nil && !estimate.hasLearnt ? Self.initialTarget : .zero)
        startsAt = now + wait
        nextPlaysAt = now + wait
        measure(offset: 0, at: now)
        store(payload, sequence: sequence, timestamp: timestamp, codec: codec)
        return .anchored
    }

    /// An earlier packet than the first one came before playout began: it goes first, as early as it can.
    private mutating func stepBack(to sequence: SequenceNumber, timestamp: UInt32, at now: Instant) {
        let earlier = Int(Int32(bitPattern: next &- timestamp))
        guard earlier > 0, earlier <= depthTicks, let start = startsAt else { return }
        head = sequence
        nextTicks -= Int64(earlier)
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
        // Of all ticks at once the nanoseconds would be too many after two days.
        let (seconds, rest) = Int64(ticks).quotientAndRemainder(dividingBy: Int64(codec.clockRate))
        return .seconds(seconds) + .nanoseconds(rest * 1_000_000_000 / Int64(codec.clockRate))
    }
}
