import EngineKit
import SIPMessages
import SIPTransactions
import ServerLocation

/// What the user agent asks of its runtime; drained after each input. Events are held indirectly, as a queue moves its
/// elements about.
package enum Output: Sendable {
    case transmit(Transmit)
    /// Asks where a next hop is reached.
    case resolve(ResolveID, LocationRequest)
    /// A server did not answer, or can't serve for now: others go before it, for as long as it asks.
    case serverFailed(Destination, sparedFor: Duration?)
    /// A connection on which the peer is silent: what is sent next gets a new one.
    case abandon(ConnectionID)
    indirect case event(Event)
}
