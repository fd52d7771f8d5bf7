import EngineKit
import SIPMessages

/// A place where a SIP server is reached.
package struct ServerAddress: Hashable, Sendable {
    package var transport: Transport
    package var address: SocketAddress

    package init(_ transport: Transport, _ address: SocketAddress) {
        self.transport = transport
        self.address = address
    }
}

/// A place to try, and when.
package struct RankedServer: Hashable, Sendable {
    package var server: ServerAddress
    /// Lower ranks are tried first. Those of one rank are addresses of one host: which way there is best is for whoever
    /// knows our own addresses to say.
    package var rank: Int

    package init(_ server: ServerAddress, rank: Int) {
        self.server = server
        self.rank = rank
    }
}

extension RankedServer {
    /// The servers that can be reached, each with the address of ours on the way there, in the order in which to try
    /// them: by rank, and within one by the rules of RFC 6724 §6 that a phone can follow.
    ///
    /// - Parameter source: the address that a packet to there is sent from; nil where there is no way.
    package static func ordered<Source>(
        _ servers: [RankedServer], from source: (ServerAddress) -> (address: IPAddress, source: Source)?
    ) -> [(server: ServerAddress, source: Source)] {
        let reachable = servers.enumerated().compactMap { place, ranked in
            source(ranked.server).map { way in
                (
                    key: (
                        ranked.rank, AddressPreference(ranked.server.address.address, from: way.address), place
                    ), server: ranked.server, source: way.source
                )
            }
        }
        return reachable.sorted { $0.key < $1.key }.map { ($0.server, $0.source) }
    }
}
