import EngineKit

/// Servers that did not answer a while ago, or asked to be spared: the others come before them.
struct FailedServers: Sendable {
    private static let most = 256

    private var until: [ServerAddress: Instant] = [:]

    mutating func insert(_ server: ServerAddress, until end: Instant, at now: Instant) {
        until = until.filter { $0.value > now }
        if until.count >= Self.most, until[server] == nil, let first = until.min(by: { $0.value < $1.value })?.key {
            until[first] = nil
        }
        until[server] = end
    }

    func contains(_ server: ServerAddress, at now: Instant) -> Bool {
        until[server].map { $0 > now } ?? false
    }

    /// The servers with the failed ones behind the others. None is left out: where all have failed, they are tried.
    func lowered(_ servers: [RankedServer], at now: Instant) -> [RankedServer] {
        let below = (servers.map(\.rank).max() ?? 0) + 1
        return servers.map { ranked in
            contains(ranked.server, at: now) ? RankedServer(ranked.server, rank: ranked.rank + below) : ranked
        }.sorted { $0.rank < $1.rank }
    }
}
