import EngineKit
import SIPMessages
import SIPTransactions
import ServerLocation

struct OutboundID: Hashable, Comparable, Sendable {
    let rawValue: UInt64

    static func < (left: OutboundID, right: OutboundID) -> Bool { left.rawValue < right.rawValue }
}

/// A request of ours on its way (RFC 3261 §8.1.2): first its destinations are asked for, then it is sent to one after
/// another until one answers.
struct OutboundRequest: Sendable {
    enum Owner: Hashable, Sendable {
        case call(CallHandle, RequestPurpose)
        case registration(RegistrationID)
        case request(RequestHandle)
        case subscription(SubscriptionHandle)
        case watcher(WatcherID)
        case publication(AccountID)

        var call: CallHandle? {
            if case .call(let handle, _) = self { handle } else { nil }
        }

        /// The request of the user's that it is, within a call or beside.
        var query: RequestHandle? {
            switch self {
            case .request(let handle): return handle
            case .call(_, let purpose):
                if case .request(let handle) = purpose.kind { return handle }
                return nil
            case .registration, .subscription, .watcher, .publication: return nil
            }
        }
    }

    /// Without Via, and without what depends on the way it takes.
    var request: Request
    let owner: Owner
    let account: Account
    /// The next hop that the dialog names.
    let hop: URI?
    /// A flow of the dialog, whose connection is used again where it leads to the same address.
    let along: Flow?
    /// Still to be tried, in order.
    var destinations: [Destination] = []
    /// The one in use.
    var destination: Destination?
    /// Whether it has given any response.
    var isAnswered = false
    /// When the last destination is given up: 64*T1 after the first one was tried, however many there are.
    var givesUpAt: Instant?
    var flow: Flow?
    var transaction: ClientTransactionID?
    /// What kept it from a destination, as far as that is known.
    var obstacle: Obstacle?
    var size = SizeRule.undecided
    var attempts = AuthenticationAttempts()
    /// The body as last sent, for a digest that covers it.
    var body: [UInt8] = []

    /// Whether it is the INVITE that makes a call.
    var isInvite: Bool {
        if case .call(_, .invite) = owner { true } else { false }
    }

    /// Requests over 1300 octets travel over TCP, and over UDP after all where TCP fails (§18.1.1).
    enum SizeRule: Sendable {
        case undecided
        /// Asks for a TCP address; the datagram destinations wait.
        case seekingStream([Destination])
        case settled
    }

    static let datagramLimit = 1300

    /// The address that the request is sent to. Outside a dialog: the first route, or the Request-URI (§8.1.2).
    var nextHop: URI {
        if let hop { return hop }
        return (try? request.headers.first(Route.self))?.uri ?? request.uri
    }

    /// What to look for to send the request; nil where the next hop is no SIP URI.
    var location: LocationRequest? {
        nextHop.sipURI?.location(unlessSaid: account.transport, isSecure: isSecure)
    }

    /// Whether every hop is to be secure (§26.2.2). A dialog that was not begun so (the secure flag of §12.1) goes as its
    /// proxies recorded, whatever the peer behind them calls itself: phones behind TLS do so that were called by `sip`.
    private var isSecure: Bool {
        request.uri.isSecure && (!request.to.hasTag || request.to.uri.isSecure)
    }

    /// Why its next hop has no address.
    func unresolved(_ failure: LocationFailure) -> Obstacle {
        location.map { .unresolved($0, failure) } ?? .notSIP(scheme: nextHop.scheme)
    }
}

extension SIPURI {
    /// What to look for (RFC 3263 §4); no transport leaves it to the domain.
    ///
    /// - Parameter isTargetSecure: whether this is a hop on the way to a SIPS URI: then TLS leads there too (RFC 3261
    ///   §26.2.2).
    func location(unlessSaid transport: Transport?, isSecure isTargetSecure: Bool = false) -> LocationRequest {
        let isSecure = isSecure || isTargetSecure
        return LocationRequest(
            target: maddr ?? host, port: port, transport: self.transport ?? (isSecure ? .tls : transport),
            isSecure: isSecure)
    }
}
