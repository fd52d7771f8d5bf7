import EngineKit
import NIOCore
import SIPMessages
import SIPTransactions

/// Cuts one connection's bytes into messages for the endpoint, on whose event loop it runs.
final class StreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Keep-alives of one read that are answered.
    private static let mostPings = 16

    private let endpoint: SIPEndpoint
    private let id: ConnectionID
    private var framer = StreamFramer()

    init(endpoint: SIPEndpoint, id: ConnectionID) {
        self.endpoint = endpoint
        self.id = id
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        framer.append(unwrapInboundIn(data).readableBytesView)
        let id = id
        var messages = 0
        var pings = 0
        do throws(FramingError) {
            while let frame = try framer.next() {
                switch frame {
                case .message: messages += 1
                case .keepAlivePing: pings += 1
                case .keepAlivePong: break
                }
                // A ping comes twice a minute (RFC 5626 §4.4.1). Blank lines by the dozen are none: before a message
                // they are passed over, however many (RFC 3261 §7.5).
                if frame == .keepAlivePing, pings > Self.mostPings { continue }
                endpoint.assumeIsolated { $0.receive(frame, on: id) }
                // A message may have been the reason to close.
                guard context.channel.isActive else { return }
            }
        } catch {
            endpoint.assumeIsolated { $0.framingFailed(error, on: id) }
            return
        }
        let (count, pending) = (messages, framer.pending)
        endpoint.assumeIsolated { $0.noteRead(on: id, messages: count, pending: pending) }
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
        let id = id
        endpoint.assumeIsolated { $0.connectionClosed(id) }
    }
}
