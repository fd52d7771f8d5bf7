import EngineKit

// Whether the peer is there, and the one deadline of all that waits.
extension MediaSession {
    private static let warningSilence = Duration.seconds(5)
    private static let deadSilence = Duration.seconds(30)
    /// For a peer of no standing.
    private static let pausingSilence = Duration.seconds(15)
    private static let pausingUnreachables = 3

    /// Whether the description lets the peer send, so that silence means something.
    func expectsMedia(_ configuration: MediaConfiguration) -> Bool {
        configuration.receives && !configuration.isOnHold && configuration.remoteRTP != nil
    }

    mutating func restartSilence(at now: Instant) {
        rtpHeardAt = now
        anythingHeardAt = now
        if isSilent { events.append(.silenceEnded) }
        isSilent = false
        isDead = false
    }

    mutating func noteHeard(isRTP: Bool, at now: Instant) {
        anythingHeardAt = now
        isDead = false
        unreachableCount = 0
        resumeSending()
        guard isRTP else { return }
        rtpHeardAt = now
        heardSinceReport = true
        if isSilent {
            isSilent = false
            events.append(.silenceEnded)
        }
    }

    /// The network said that the peer's media address can't be reached (ICMP).
    package mutating func destinationUnreachable(at now: Instant) {
        unreachableCount += 1
        if !configuration.isPeerTrusted && unreachableCount >= Self.pausingUnreachables { pauseSending() }
    }

    private mutating func pauseSending() {
        guard !isPaused else { return }
        isPaused = true
        events.append(.sendingPaused)
    }

    mutating func resumeSending() {
        guard isPaused else { return }
        isPaused = false
        events.append(.sendingResumed)
    }

    /// When `handleDeadline` wants to be called next: RTCP, keep-alive, digits, the clocks of silence.
    ///
    /// Nothing changes by asking; but to lend the session out for reading is to copy it.
    package var deadline: Instant? {
        mutating get { nextDeadline }
    }

    @inline(__always)
    private var nextDeadline: Instant? {
        guard !isStopped else { return nil }
        var earliest = schedule.deadline
        if canReachPeer { earliest = min(earliest, keepAliveAt) }
        if let digitDeadline { earliest = min(earliest, digitDeadline) }
        if let receiverDeadline = digitReceiver.deadline { earliest = min(earliest, receiverDeadline) }
        if expectsMedia(configuration) {
            if !isSilent { earliest = min(earliest, rtpHeardAt + Self.warningSilence) }
            if !isDead { earliest = min(earliest, anythingHeardAt + Self.deadSilence) }
            if pausesOnSilence { earliest = min(earliest, anythingHeardAt + Self.pausingSilence) }
        }
        return earliest
    }

    private var pausesOnSilence: Bool { !configuration.isPeerTrusted && !isPaused }

    package mutating func handleDeadline(at now: Instant) {
        guard !isStopped else { return }
        digitReceiver.handleDeadline(at: now)
        reportDigits()
        judgeSilence(at: now)
        sendDueDigits(at: now)
        sendDueReport(at: now)
        sendDueKeepAlive(at: now)
    }

    private mutating func judgeSilence(at now: Instant) {
        guard expectsMedia(configuration) else { return }
        if !isSilent && now - rtpHeardAt >= Self.warningSilence {
            isSilent = true
            events.append(.silenceBegan)
        }
        if pausesOnSilence && now - anythingHeardAt >= Self.pausingSilence { pauseSending() }
        if !isDead && now - anythingHeardAt >= Self.deadSilence {
            isDead = true
            events.append(.silenceExceeded)
        }
    }
}
