import NIOCore
import SIPMessages
import SIPTransactions

/// What one read of a connection brought.
struct StreamRead: Sendable {
    var frames: [StreamFramer.Frame] = []
    /// Messages among them.
    var messages = 0
    /// Octets that wait for the rest of their message.
    var pending = 0
    /// Why the rest can't be cut into messages.
    var error: FramingError?
}

/// Cuts one connection's bytes into messages, and takes them to the endpoint's thread.
final class StreamHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Keep-alives of one read that are answered.
    private static let mostPings = 16

    private let endpoint: SIPEndpoint
    private let id: ConnectionID
    private let readsWhenActive: Bool
    private var framer = StreamFramer()

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
        framer.append(unwrapInboundIn(data).readableBytesView)
        let read = nextRead()
        tell { [id] in $0.receive(read, on: id) }
    }

    private func nextRead() -> StreamRead {
        var read = StreamRead()
        var pings = 0
        do throws(FramingError) {
            while let frame = try framer.next() {
                switch frame {
                case .message: read.messages += 1
                case .keepAlivePing: pings += 1
                case .keepAlivePong: break
                }
                // A ping comes twice a minute (RFC 5626 §4.4.1). Blank lines by the dozen are none: before a message
                // they are passed over, however many (RFC 3261 §7.5).
                if frame == .keepAlivePing, pings > Self.mostPings { continue }
                read.frames.append(frame)
            }
        } catch {
            read.error = error
        }
        read.pending = framer.pending
        return read
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
