import NIOCore
import SIPMessages
import SIPTransactions

/// Takes what comes over one connection to the endpoint's thread.
final class StreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let endpoint: SIPEndpoint
    private let id: ConnectionID
    private let readsWhenActive: Bool

    /// - Parameter readsWhenActive: else the first read, as all that follow, is the endpoint's to ask for.
    init(endpoint: SIPEndpoint, id: ConnectionID, readsWhenActive: Bool) {
        self.endpoint = endpoint
        self.id = id
        self.readsWhenActive = readsWhenActive
    }

    func channelActive(context: ChannelHandlerContext) {
        if readsWhenActive { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        tell { [id] in $0.receive(bytes, on: id) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The peer says no more. What it said before is answered, and stands before this.
        if case .inputClosed? = event as? ChannelEvent { tell { [id] in $0.close(id) } }
        context.fireUserInboundEventTriggered(event)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        guard !context.channel.isWritable else { return }
        // The peer does not read: more than the high-water mark waits (ROBUSTNESS S15).
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        tell { [id] in $0.connectionClosed(id) }
    }

    private func tell(_ news: @escaping @Sendable (isolated SIPEndpoint) -> Void) {
        endpoint.thread.execute { [endpoint] in endpoint.assumeIsolated(news) }
    }
}
