import EngineKit
import SIPMessages
import SIPTransactions

/// What the user agent asks of its runtime; drained after each input.
package enum Output: Sendable {
    case transmit(Transmit)
    /// Asks where `host` is reached; nil for a port or transport leaves the choice to RFC 3263. What is secure (a `sips`
    /// URI) goes over TLS or not at all.
    case resolve(ResolveID, host: Host, port: UInt16?, transport: Transport?, isSecure: Bool)
    /// A server did not answer, or can't serve for now: others go before it, for as long as it asks.
    case serverFailed(Destination, sparedFor: Duration?)
    case event(Event)
}
