import CLinux
import EngineKit

/// A bound pair of UDP sockets: RTP on an even port and RTCP on the next (RFC 3550 §11).
///
/// Closed, and its ports laid to rest, when the last owner lets go.
package final class MediaPorts: Sendable {
    /// The local address and the RTP port.
    package let rtp: SocketAddress
    package let rtcp: SocketAddress

    let rtpDescriptor: CInt
    let rtcpDescriptor: CInt
    private let onClose: @Sendable () -> Void

    /// Binds both sockets, or neither.
    init(address: IPAddress, port: UInt16, onClose: @escaping @Sendable () -> Void) throws(SystemError) {
        rtp = SocketAddress(address, port: port)
        rtcp = SocketAddress(address, port: port &+ 1)
        let first = try Self.open(rtp)
        do {
            rtcpDescriptor = try Self.open(rtcp)
        } catch {
            cs_datagram_close(first)
            throw error
        }
        rtpDescriptor = first
        self.onClose = onClose
    }

    deinit {
        cs_datagram_close(rtpDescriptor)
        cs_datagram_close(rtcpDescriptor)
        onClose()
    }

    private static func open(_ address: SocketAddress) throws(SystemError) -> CInt {
        var local = address.system
        return try SystemError.check(cs_datagram_open(&local, nil), "bind UDP \(address)")
    }
}
