import EngineKit

/// Which nonce counts were used, so that no credentials are taken twice (RFC 7616 §3.4, `nc`).
///
/// A fixed number of nonces is remembered. When one is forgotten early, all nonces that are as old and not remembered
/// are no longer taken, so that memory is bounded and a replay never passes. Only credentials that are right get here.
struct NonceCounts: Sendable {
    private struct Use: Sendable {
        var highest: UInt32
        /// The counts below the highest, nearest first: bit 0 is `highest` itself.
        var window: UInt64
    }

    private var uses: [ServerNonce.Stamp: Use] = [:]
    /// Nonces made at this second or before it are taken only where they are remembered.
    private var forgottenUpTo: UInt32?
    private let capacity: Int

    init(capacity: Int = 1024) {
        self.capacity = max(1, capacity)
    }

    var count: Int { uses.count }

    /// Uses a count of a nonce that is good at `now`; false where it was used before, or may have been.
    mutating func use(_ count: UInt32, of stamp: ServerNonce.Stamp, at now: Instant) -> Bool {
        guard count > 0 else { return false }
        guard let known = uses[stamp] else {
            if let forgottenUpTo, age(stamp.seconds, at: now) >= age(forgottenUpTo, at: now) { return false }
            if uses.count >= capacity { makeRoom(at: now) }
            uses[stamp] = Use(highest: count, window: 1)
            return true
        }
        if count > known.highest {
            let step = count - known.highest
            uses[stamp] = Use(highest: count, window: step < 64 ? known.window << UInt64(step) | 1 : 1)
            return true
        }
        let below = known.highest - count
        guard below < 64, known.window & (1 << UInt64(below)) == 0 else { return false }
        uses[stamp]?.window |= 1 << UInt64(below)
        return true
    }

    /// Forgets what ran out.
    mutating func forgetOld(at now: Instant) {
        uses = uses.filter { age($0.key.seconds, at: now) <= ServerNonce.lifetime }
    }

    /// Forgets what ran out, and where nothing did, the oldest.
    private mutating func makeRoom(at now: Instant) {
        let before = uses.count
        forgetOld(at: now)
        guard uses.count == before, let oldest = uses.keys.map({ age($0.seconds, at: now) }).max() else { return }
        uses = uses.filter { age($0.key.seconds, at: now) < oldest }
        forgottenUpTo = ServerNonce.seconds(now) &- oldest
    }

    private func age(_ seconds: UInt32, at now: Instant) -> UInt32 { ServerNonce.seconds(now) &- seconds }
}
