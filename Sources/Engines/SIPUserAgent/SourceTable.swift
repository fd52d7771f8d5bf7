import EngineKit

/// What is remembered of each address that sends us requests: its rate and what it keeps waiting. The least recently
/// heard is forgotten when the table is full, so that any number of sources costs bounded memory.
package struct SourceTable: Sendable {
    /// One source: an IPv4 address, or the /64 of an IPv6 address, all of which one host may use.
    package struct Key: Hashable, Sendable {
        /// In one word, as there are thousands: an IPv4 address, or the first half of an IPv6 address. Those that are as
        /// small are of ::/32, where nobody is.
        let bits: UInt64

        package init(_ address: IPAddress) {
            switch address.unmapped {
            case .v4(let bits): self.bits = UInt64(bits)
            case .v6(let high, _, _): self.bits = high
            }
        }
    }

    private struct Entry: Sendable {
        var key: Key
        var requests = RateMeter()
        var messages = RateMeter()
        var pendingInvites = 0
        var optionsAllowedAt: Instant
        /// Neighbours in the order of hearing, -1 at the ends.
        var older = -1
        var newer = -1
    }

    private var entries: [Entry] = []
    private var indices: [Key: Int] = [:]
    private var oldest = -1
    private var newest = -1
    private let capacity: Int

    package init(capacity: Int) {
        self.capacity = max(1, capacity)
        // All of it at once, which touches nothing: a table that grows under a flood leaves its former selves behind.
        entries.reserveCapacity(self.capacity)
        indices.reserveCapacity(self.capacity)
    }

    package var count: Int { entries.count }

    /// Counts one request of a source; false where it exceeds the rate.
    package mutating func admit(_ key: Key, rate: UserAgentLimits.RequestRate, at now: Instant) -> Bool {
        let index = touch(key, at: now)
        return entries[index].requests.admit(rate, at: now)
    }

    /// Whether a request of a source would be within the rate.
    func admits(_ key: Key, rate: UserAgentLimits.RequestRate, at now: Instant) -> Bool {
        indices[key].map { entries[$0].requests.admits(rate, at: now) } ?? true
    }

    /// Counts a MESSAGE of a source; false where it exceeds the number that may come in a minute.
    package mutating func admitMessage(_ key: Key, perMinute limit: Int, at now: Instant) -> Bool {
        let index = touch(key, at: now)
        return entries[index].messages.admit(.seconds(60) / max(1, limit), burst: limit, at: now)
    }

    /// Counts an OPTIONS of a source; false where the last one that was answered is less than `interval` ago.
    package mutating func admitOptions(_ key: Key, interval: Duration, at now: Instant) -> Bool {
        let index = touch(key, at: now)
        guard entries[index].optionsAllowedAt <= now else { return false }
        entries[index].optionsAllowedAt = now + interval
        return true
    }

    /// Counts an INVITE that waits for its final response; false where the source has `limit` of them already.
    package mutating func beginInvite(_ key: Key, limit: Int, at now: Instant) -> Bool {
        let index = touch(key, at: now)
        guard entries[index].pendingInvites < limit else { return false }
        entries[index].pendingInvites += 1
        return true
    }

    package mutating func endInvite(_ key: Key) {
        guard let index = indices[key], entries[index].pendingInvites > 0 else { return }
        entries[index].pendingInvites -= 1
    }

    package func pendingInvites(_ key: Key) -> Int {
        indices[key].map { entries[$0].pendingInvites } ?? 0
    }
}

// MARK: - The order of hearing

extension SourceTable {
    /// The place of a source, now the one heard last.
    private mutating func touch(_ key: Key, at now: Instant) -> Int {
        if let index = indices[key] {
            if index != newest {
                unlink(index)
                linkAsNewest(index)
            }
            return index
        }
        let entry = Entry(key: key, optionsAllowedAt: now)
        let index: Int
        if entries.count < capacity {
            index = entries.count
            entries.append(entry)
        } else {
            index = victim
            unlink(index)
            indices[entries[index].key] = nil
            entries[index] = entry
        }
        indices[key] = index
        linkAsNewest(index)
        return index
    }

    /// The least recently heard that has no INVITE waiting, among the eight oldest; else the very oldest.
    private var victim: Int {
        var index = oldest
        for _ in 0..<8 where index >= 0 {
            if entries[index].pendingInvites == 0 { return index }
            index = entries[index].newer
        }
        return oldest
    }

    private mutating func unlink(_ index: Int) {
        let (older, newer) = (entries[index].older, entries[index].newer)
        if older >= 0 { entries[older].newer = newer } else { oldest = newer }
        if newer >= 0 { entries[newer].older = older } else { newest = older }
    }

    private mutating func linkAsNewest(_ index: Int) {
        entries[index].older = newest
        entries[index].newer = -1
        if newest >= 0 { entries[newest].newer = index } else { oldest = index }
        newest = index
    }
}
