import EngineKit

/// The media addresses of the other early dialogs of a forked call (RFC 3261 §12.1), beside the negotiated one; at
/// most 7, as a call keeps 8 early dialogs.
package struct AlternateSources: Sendable {
    private var addresses = InlineArray<7, SocketAddress?>(repeating: nil)
    package private(set) var count = 0

    package init() {}

    /// False where the table is full.
    @discardableResult
    package mutating func insert(_ address: SocketAddress) -> Bool {
        guard count < addresses.count else { return false }
        addresses[count] = address
        count += 1
        return true
    }

    package func contains(_ address: SocketAddress) -> Bool {
        for index in 0..<count where addresses[index] == address { return true }
        return false
    }
}

extension AlternateSources: Equatable {
    package static func == (left: AlternateSources, right: AlternateSources) -> Bool {
        guard left.count == right.count else { return false }
        for index in 0..<left.count where left.addresses[index] != right.addresses[index] { return false }
        return true
    }
}

/// Which of several early dialogs is heard: the one whose media began last and is steady.
///
/// A dialog that merely goes on sending does not take its place back from one that began after it; once the heard one
/// has been silent for a second, any steady one may follow.
struct EarlySources: Sendable {
    private static let steadyCount = 5
    private static let pause = Duration.seconds(1)

    private struct Branch: Sendable {
        var address: SocketAddress
        var heardAt: Instant
        var sequence: SequenceNumber
        /// Packets in sequence since the branch began or paused.
        var count: Int
        /// It has been heard since it began: only a pause makes it new again.
        var wasHeard: Bool
    }

    private var branches = InlineArray<8, Branch?>(repeating: nil)

    init() {}

    /// Notes a packet of a dialog's address; true where that dialog is now to be heard in place of another.
    mutating func takesOver(
        _ evidence: SourcePolicy.Evidence, isHeard: Bool, heardIsSilent: Bool, at now: Instant
    ) -> Bool {
        guard let index = index(of: evidence.source) else { return false }
        var branch =
            branches[index]
            ?? Branch(
                address: evidence.source, heardAt: now, sequence: evidence.sequence, count: 0, wasHeard: false)
        if now - branch.heardAt >= Self.pause {
            branch.count = 0
            branch.wasHeard = false
        }
        let isNext = branch.count == 0 || branch.sequence.distance(to: evidence.sequence) == 1
        branch.count = isNext ? min(branch.count + 1, Self.steadyCount) : 1
        branch.heardAt = now
        branch.sequence = evidence.sequence
        let isSteady = branch.count >= Self.steadyCount
        let wins = !isHeard && isSteady && (!branch.wasHeard || heardIsSilent)
        if isHeard || wins { branch.wasHeard = true }
        branches[index] = branch
        return wins
    }

    private func index(of address: SocketAddress) -> Int? {
        var free: Int?
        for index in branches.indices {
            guard let branch = branches[index] else {
                free = free ?? index
                continue
            }
            if branch.address == address { return index }
        }
        return free
    }
}
