import EngineKit
import NIOCore
import SIPTransactions

/// Hands datagrams to the endpoint, on whose event loop it runs.
final class DatagramHandler: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>

    private let endpoint: SIPEndpoint
    private let bound: EngineKit.SocketAddress

    init(endpoint: SIPEndpoint, bound: EngineKit.SocketAddress) {
        self.endpoint = endpoint
        self.bound = bound
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let envelope = unwrapInboundIn(data)
        guard let remote = EngineKit.SocketAddress(envelope.remoteAddress) else { return }
        var local = bound
        if let arrivedAt = EngineKit.SocketAddress(envelope.metadata?.packetInfo?.destinationAddress) {
            local.address = arrivedAt.address
        }
        let bytes = Array(envelope.data.readableBytesView)
        let flow = Flow(transport: .udp, local: local, remote: remote)
        endpoint.assumeIsolated { $0.receiveDatagram(bytes, over: flow) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let bound = bound
        endpoint.assumeIsolated { $0.deliveryFailed(onSocketAt: bound) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        let bound = bound
        endpoint.assumeIsolated { $0.datagramReaderClosed(bound) }
    }
}
