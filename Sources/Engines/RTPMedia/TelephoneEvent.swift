import EngineKit

/// The four octets of a telephone-event payload (RFC 4733 §2.3).
package struct TelephoneEvent: Equatable, Sendable {
    package static let length = 4

    package var code: UInt8
    package var isEnd: Bool
    /// Level in -dBm0, 0...63.
    package var volume: UInt8
    /// In ticks of the payload type's clock.
    package var duration: UInt16

    package init(code: UInt8, isEnd: Bool, volume: UInt8 = 10, duration: UInt16) {
        self.code = code
        self.isEnd = isEnd
        self.volume = volume & 0x3f
        self.duration = duration
    }

    package init?(parsing bytes: Span<UInt8>) {
        var reader = ByteReader(bytes)
        guard let code = reader.readUInt8(), let flags = reader.readUInt8(), let duration = reader.readUInt16() else {
            return nil
        }
        self.init(code: code, isEnd: flags & 0x80 != 0, volume: flags & 0x3f, duration: duration)
    }

    package func write(to writer: inout ByteWriter) {
        writer.write(code)
        writer.write(volume | (isEnd ? 0x80 : 0))
        writer.write(duration)
    }
}

/// Makes one digit out of the many packets that report it (RFC 4733 §2.5.2), whatever of them is lost or repeated.
package struct TelephoneEventReceiver: Sendable {
    /// Without a packet for so long the event is over: four update intervals of 50 ms.
    private static let patience = Duration.milliseconds(200)
    /// Events told apart by their timestamp; the last ones are kept so that no late packet begins one again.
    private static let historyCount = 8

    private struct Active: Sendable {
        var digit: DTMFDigit
        var timestamp: UInt32
        var duration: UInt32
        /// Of segments before this one (§2.5.2.3), in ticks of the event's clock.
        var earlier: UInt64
        var clockRate: UInt32
        var heardAt: Instant

        var milliseconds: Int {
            Int(clamping: (earlier + UInt64(duration)) * 1_000 / UInt64(max(1, clockRate)))
        }
    }

    private var active: Active?
    private var ended = InlineArray<8, UInt32?>(repeating: nil)
    private var endedCount = 0
    /// Never more than eight between two drains: a packet has at most four events.
    private var reports = DigitReports()

    package init() {}

    /// When an event ends for want of packets.
    package var deadline: Instant? { active.map { $0.heardAt + Self.patience } }

    /// - Parameter rtpRate: ticks a second of the timestamps, which with Opus and events of 8000 Hz is not `clockRate`.
    package mutating func receive(
        _ payload: Span<UInt8>, timestamp: UInt32, clockRate: UInt32, rtpRate: UInt32, at now: Instant
    ) {
        // One packet may carry events that follow each other without a pause (§2.5.1.5).
        var timestamp = timestamp
        for start in stride(from: 0, to: min(payload.count, 4 * TelephoneEvent.length), by: TelephoneEvent.length) {
            guard start + TelephoneEvent.length <= payload.count,
                let event = TelephoneEvent(parsing: payload.extracting(start..<start + TelephoneEvent.length))
            else { return }
            receive(event, timestamp: timestamp, clockRate: clockRate, at: now)
            let ticks = UInt64(event.duration) * UInt64(rtpRate) / UInt64(max(1, clockRate))
            timestamp &+= UInt32(truncatingIfNeeded: ticks)
        }
    }

    private mutating func receive(_ event: TelephoneEvent, timestamp: UInt32, clockRate: UInt32, at now: Instant) {
        guard let digit = DTMFDigit(code: event.code) else { return }
        if var current = active {
            if current.timestamp == timestamp {
                guard current.digit == digit else { return }
                current.duration = max(current.duration, UInt32(event.duration))
                current.heardAt = now
                active = current
                if event.isEnd { endActive() }
                return
            }
            guard Int32(bitPattern: timestamp &- current.timestamp) > 0 else { return }
            if continues(current, digit: digit, timestamp: timestamp) {
                noteEnded(current.timestamp)
                current.earlier += UInt64(current.duration)
                current.timestamp = timestamp
                current.duration = UInt32(event.duration)
                current.heardAt = now
                active = current
                if event.isEnd { endActive() }
                return
            }
            // The next event proves the end of the one before it, whose own end was lost.
            endActive()
        }
        guard !wasEnded(timestamp) else { return }
        active = Active(
            digit: digit, timestamp: timestamp, duration: UInt32(event.duration), earlier: 0, clockRate: clockRate,
            heardAt: now)
        reports.append(.began(digit))
        if event.isEnd { endActive() }
    }

    /// A further segment of an event longer than 65535 ticks: the same digit, from where the last segment ended.
    private func continues(_ current: Active, digit: DTMFDigit, timestamp: UInt32) -> Bool {
        digit == current.digit && current.duration == UInt32(UInt16.max)
            && timestamp &- current.timestamp == current.duration
    }

    package mutating func handleDeadline(at now: Instant) {
        if let deadline, now >= deadline { endActive() }
    }

    /// Another stream: what its timestamps mean is unknown, and an event of the old one is over.
    package mutating func reset() {
        endActive()
        ended = InlineArray(repeating: nil)
    }

    package mutating func nextReport() -> DigitReport? { reports.removeFirst() }

    private mutating func endActive() {
        guard let current = active else { return }
        active = nil
        noteEnded(current.timestamp)
        reports.append(.ended(current.digit, milliseconds: current.milliseconds))
    }

    private mutating func noteEnded(_ timestamp: UInt32) {
        ended[endedCount % Self.historyCount] = timestamp
        endedCount = (endedCount + 1) % Self.historyCount
    }

    private func wasEnded(_ timestamp: UInt32) -> Bool {
        for index in 0..<Self.historyCount {
            guard let other = ended[index] else { continue }
            // Older than one that ended within the last minutes is a straggler, too.
            let age = Int32(bitPattern: other &- timestamp)
            if age >= 0 && age < 48_000 * 30 { return true }
        }
        return false
    }
}
