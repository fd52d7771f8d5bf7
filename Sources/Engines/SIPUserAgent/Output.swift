import EngineKit
import SIPMessages
import SIPTransactions

/// What the user agent asks of its runtime; drained after each input.
package enum Output: Sendable {
    case transmit(Transmit)
    /// Asks where `host` is reached; nil for a port or transport leaves the choice to RFC 3263.
    case resolve(ResolveID, host: Host, port: UInt16?, transport: Transport?)
    case event(Event)
}
