import EngineKit

/// Where a peer's description may direct our media: never nearer to us than its signalling came from.
///
/// Without this a stranger points our RTP at a service on our own host or network.
package struct MediaTargetPolicy: Hashable, Sendable {
    /// Where the peer's signalling came from; nil holds no target to be too near.
    package var signallingSource: IPAddress?
    /// Addresses of ours that no media may be sent to.
    package var ownListeners: [SocketAddress]

    package init(signallingSource: IPAddress?, ownListeners: [SocketAddress] = []) {
        self.signallingSource = signallingSource
        self.ownListeners = ownListeners
    }

    enum Verdict: Hashable {
        case allowed
        /// A peer behind a NAT most likely: nothing is sent there, yet the call may go on.
        case withheld
        case forbidden
    }

    func verdict(on target: SocketAddress) -> Verdict {
        let source = signallingSource.map(\.reach) ?? .loopback
        if ownListeners.contains(target) { return .forbidden }
        switch target.address.reach {
        case .unspecified, .multicast, .broadcast:
            return .forbidden
        case .loopback, .linkLocal:
            return target.address.reach < source ? .forbidden : .allowed
        case .privateNetwork:
            return source == .global ? .withheld : .allowed
        case .global:
            return .allowed
        }
    }
}
