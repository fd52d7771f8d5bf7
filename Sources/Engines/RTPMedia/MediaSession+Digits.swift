import AudioCodecs
import EngineKit

// The keys of a telephone: as events beside the sound, or in it.
extension MediaSession {
    // MARK: - Ours

    /// Sends a digit after those that wait already. False where 32 wait, or where it is to be a telephone-event and the
    /// peer takes none.
    package mutating func sendDigit(_ digit: DTMFDigit, duration: Duration) -> Bool {
        guard !isStopped else { return false }
        if configuration.hasDigitsInSound { return digitTones.append(digit, duration: duration) }
        return configuration.sendTelephoneEvent != nil && digits.append(digit, duration: duration)
    }

    /// Whether `soundDigits` is owed before the next `capture`.
    package var hasDigitsToSound: Bool { canSendAudio && !digitTones.isIdle }

    /// Puts digits that go in the sound in the place of what is to be captured next.
    package mutating func soundDigits(in samples: inout MutableSpan<Int16>) {
        for index in samples.indices {
            guard let next = digitTones.next() else { return }
            samples[index] = next.sample
            guard let (digit, milliseconds) = next.over else { continue }
            events.append(.digitSent(digit, .sound, milliseconds: milliseconds))
        }
    }

    var digitDeadline: Instant? {
        canSendAudio && configuration.sendTelephoneEvent != nil ? digits.deadline : nil
    }

    mutating func sendDueDigits(at now: Instant) {
        guard canSendAudio, let format = configuration.sendTelephoneEvent, let destination = policy.destination else {
            return
        }
        while let report = digits.next(
            at: now, timestamp: timestamp(at: now), rtpRate: configuration.sendCodec.clockRate, format: format,
            packetTime: packetLength * 1_000 / AudioCodec.sampleRate)
        {
            let header = RTPPacket(
                hasMarker: report.hasMarker, payloadType: format.payloadType, sequenceNumber: sequence,
                timestamp: report.timestamp, synchronizationSource: localSource,
                payloadLength: TelephoneEvent.length)
            let isQueued = outgoing.append(to: destination, isRTCP: false) { memory in
                memory.withUnsafeMutableBufferPointer { bytes in
                    var writer = ByteWriter(bytes.mutableSpan)
                    header.writeHeader(to: &writer)
                    report.event.write(to: &writer)
                    return writer.count
                }
            }
            if isQueued {
                let owedMarker = owesMarker
                sent(header, at: now)
                owesMarker = owedMarker
            }
            if let (digit, milliseconds) = digits.finished(by: report) {
                events.append(.digitSent(digit, .event, milliseconds: milliseconds))
            }
        }
    }

    // MARK: - The peer's

    /// Whether the peer has no other way for its digits than the sound, or is asked for that one.
    /// In place, as a call would copy the session.
    @inline(__always)
    var listensForDigits: Bool { configuration.hasDigitsInSound || !configuration.receiveFormats.hasTelephoneEvents }

    /// Listens to what is heard.
    mutating func listenForDigits(in samples: Span<Int16>) {
        digitDetector.receive(samples)
        while let report = digitDetector.nextReport() { self.report(report, .sound) }
    }

    mutating func endHeardDigit() {
        digitDetector.reset()
        while let report = digitDetector.nextReport() { self.report(report, .sound) }
    }

    mutating func reportDigits() {
        while let report = digitReceiver.nextReport() { self.report(report, .event) }
    }

    private mutating func report(_ report: DigitReport, _ way: DigitWay) {
        switch report {
        case .began(let digit): events.append(.digitBegan(digit, way))
        case .ended(let digit, let milliseconds): events.append(.digitEnded(digit, way, milliseconds: milliseconds))
        }
    }
}
