import EngineKit

/// From which addresses media is taken, and whether ours follows (RFC 4961 symmetric RTP, without being led astray).
///
/// The negotiated address is always right. A source that a NAT may explain - the negotiated IP address from another
/// port, the address of the signalling, any address where the negotiated one is not reachable from here - is learnt
/// after five packets in sequence within the first 5 s of media, and then locked. The lock opens with a new session
/// description, after hold, and, for sources that continue the stream, when the locked one was silent for 2 s.
/// While the locked source is heard no other is followed, but the negotiated one takes its place back at once.
package struct SourcePolicy: Sendable {
    private static let latchCount = 5
    private static let window = Duration.seconds(5)
    private static let silence = Duration.seconds(2)

    package enum Verdict: Equatable, Sendable {
        case accepted
        /// Accepted, and from now on the source.
        case changed
        case refused
    }

    /// What a packet shows of itself.
    package struct Evidence {
        package var source: SocketAddress
        package var synchronizationSource: UInt32
        package var sequence: SequenceNumber
        /// Of a payload type that was negotiated.
        package var isNegotiated: Bool

        package init(
            source: SocketAddress, synchronizationSource: UInt32, sequence: SequenceNumber, isNegotiated: Bool
        ) {
            self.source = source
            self.synchronizationSource = synchronizationSource
            self.sequence = sequence
            self.isNegotiated = isNegotiated
        }
    }

    private struct Candidate: Sendable {
        var source: SocketAddress
        var synchronizationSource: UInt32
        var sequence: SequenceNumber
        var count: Int
    }

    private var negotiated: SocketAddress?
    private var alternates = AlternateSources()
    private var early = EarlySources()
    private var signalling: IPAddress?
    private var symmetric: SymmetricPolicy

    /// The source that is taken now; nil until the first packet.
    package private(set) var locked: SocketAddress?
    private var lockedStream: (synchronizationSource: UInt32, sequence: SequenceNumber)?
    private var lockedHeardAt: Instant
    private var candidate: Candidate?
    /// When the window of the first 5 s closes; nil before any media.
    private var windowEnd: Instant?
    /// Whether any plausible source may be learnt, as opposed to one that continues the locked stream.
    private var isOpen = true

    package init(negotiated: SocketAddress?, signalling: IPAddress?, symmetric: SymmetricPolicy, at now: Instant) {
        self.negotiated = negotiated
        self.signalling = signalling
        self.symmetric = symmetric
        lockedHeardAt = now
    }

    /// Takes over a new description, or the end of a hold: the lock opens.
    package mutating func reopen(
        negotiated: SocketAddress?, signalling: IPAddress?, symmetric: SymmetricPolicy, at now: Instant
    ) {
        if negotiated != self.negotiated {
            locked = nil
            lockedStream = nil
            lockedHeardAt = now
        }
        self.negotiated = negotiated
        self.signalling = signalling
        self.symmetric = symmetric
        isOpen = true
        windowEnd = nil
        candidate = nil
    }

    /// Where our RTP goes.
    package var destination: SocketAddress? {
        guard negotiated != nil, symmetric != .never else { return negotiated }
        return locked ?? negotiated
    }

    /// Whether RTCP from here belongs to the peer: the address of its media or of its description.
    package func acceptsRTCP(from source: SocketAddress, negotiated rtcp: SocketAddress?) -> Bool {
        let address = source.address.unmapped
        if source == rtcp || address == locked?.address.unmapped { return true }
        return address == negotiated?.address.unmapped
    }

    package mutating func judge(_ evidence: Evidence, at now: Instant) -> Verdict {
        if alternates.count > 0, evidence.source == negotiated || alternates.contains(evidence.source) {
            return judgeEarly(evidence, at: now)
        }
        if evidence.source == locked {
            heard(evidence, at: now)
            return .accepted
        }
        if evidence.source == negotiated {
            return lock(evidence, at: now)
        }
        guard evidence.isNegotiated, mayLearn(evidence, at: now) else { return .refused }
        return count(evidence, at: now)
    }

    /// The other early dialogs of a forked call; none once it is answered. What is known of them stays.
    package mutating func setAlternates(_ alternates: AlternateSources) {
        if alternates.count == 0 { early = EarlySources() }
        self.alternates = alternates
    }

    /// A packet of one of several early dialogs.
    private mutating func judgeEarly(_ evidence: Evidence, at now: Instant) -> Verdict {
        guard evidence.isNegotiated else { return .refused }
        let current = locked ?? negotiated
        let isHeard = evidence.source == current
        let isSilent = locked == nil || now - lockedHeardAt >= .seconds(1)
        if early.takesOver(evidence, isHeard: isHeard, heardIsSilent: isSilent, at: now) {
            return lock(evidence, at: now)
        }
        guard isHeard else { return .refused }
        if locked == nil { return lock(evidence, at: now) }
        heard(evidence, at: now)
        return .accepted
    }

    private mutating func heard(_ evidence: Evidence, at now: Instant) {
        lockedHeardAt = now
        if let stream = lockedStream, stream.synchronizationSource == evidence.synchronizationSource,
            stream.sequence.distance(to: evidence.sequence) <= 0
        {
            return
        }
        lockedStream = (evidence.synchronizationSource, evidence.sequence)
    }

    /// Whether a source other than the locked and the negotiated one may become it.
    private mutating func mayLearn(_ evidence: Evidence, at now: Instant) -> Bool {
        if let end = windowEnd, isOpen, now > end { isOpen = false }
        // The true source is there: the locked one, or the negotiated one, which is the lock's first holder.
        if locked != nil && now - lockedHeardAt < Self.silence { return false }
        if isOpen { return isPlausible(evidence.source.address.unmapped) }
        guard now - lockedHeardAt >= Self.silence else { return false }
        let known = (locked ?? negotiated)?.address.unmapped
        if let known, evidence.source.address.unmapped == known, known.reach != .unspecified { return true }
        guard let stream = lockedStream, stream.synchronizationSource == evidence.synchronizationSource else {
            return false
        }
        // Continuing: at most a minute of 20 ms packets ahead.
        return (1...3_000).contains(stream.sequence.distance(to: evidence.sequence))
            || candidate?.source == evidence.source
    }

    private func isPlausible(_ address: IPAddress) -> Bool {
        if symmetric == .always || address == signalling?.unmapped { return true }
        guard let described = negotiated?.address.unmapped else { return false }
        if address == described { return true }
        switch described.reach {
        case .privateNetwork, .unspecified, .linkLocal, .loopback:
            // Behind a NAT, unless the signalling came out of the same place.
            return signalling != nil && signalling?.unmapped != described
        default:
            return false
        }
    }

    private mutating func count(_ evidence: Evidence, at now: Instant) -> Verdict {
        if windowEnd == nil { windowEnd = now + Self.window }
        if var current = candidate, current.source == evidence.source,
            current.synchronizationSource == evidence.synchronizationSource,
            current.sequence.distance(to: evidence.sequence) == 1
        {
            current.sequence = evidence.sequence
            current.count += 1
            candidate = current
        } else {
            candidate = Candidate(
                source: evidence.source, synchronizationSource: evidence.synchronizationSource,
                sequence: evidence.sequence, count: 1)
        }
        guard let current = candidate, current.count >= Self.latchCount else { return .refused }
        return lock(evidence, at: now)
    }

    private mutating func lock(_ evidence: Evidence, at now: Instant) -> Verdict {
        let before = locked ?? negotiated
        locked = evidence.source
        lockedStream = (evidence.synchronizationSource, evidence.sequence)
        lockedHeardAt = now
        candidate = nil
        isOpen = false
        return evidence.source == before ? .accepted : .changed
    }
}
