import EngineKit
import Glibc
import NIOCore
import NIOPosix
import SIPMessages

import struct EngineKit.SocketAddress

/// A bound UDP socket, and the channel that reads it while there is one.
final class DatagramListener {
    let socket: DatagramSocket
    var channel: (any Channel)?
    var reopenedAt: Instant?

    init(socket: DatagramSocket) {
        self.socket = socket
    }
}

/// A TCP socket that takes connections.
struct StreamListener {
    var channel: any Channel
    var address: SocketAddress
}

extension SIPEndpoint {
    /// Binds every address of the configuration. After an error nothing stays bound.
    package func start() async throws(EndpointError) {
        do throws(EndpointError) {
            for wanted in configuration.listen { try await listen(wanted) }
        } catch {
            shutDown()
            throw error
        }
        resolver = makeResolver()
        watchNetwork()
        locator.reach = reach
        receive(.listening(listeners))
    }

    /// Binds UDP and TCP to one port: the one that is wanted, or where any will do, one that both have free.
    private func listen(_ wanted: ListenAddress) async throws(EndpointError) {
        let attempts = wanted.address.port == 0 ? 32 : wanted.mayUseNextPort ? 100 : 1
        var address = wanted.address
        for attempt in 1...attempts {
            do throws(EndpointError) {
                try await bind(address, wanted.transports)
                return
            } catch {
                if wanted.mayBeMissing, case .addressNotAvailable = error { return }
                guard case .addressInUse = error, attempt < attempts else { throw error }
                if address.port != 0 { address.port &+= 1 }
            }
        }
    }

    private func bind(_ wanted: SocketAddress, _ transports: [Transport]) async throws(EndpointError) {
        var address = wanted
        var listener: DatagramListener?
        if transports.contains(.udp) {
            let socket = try DatagramSocket(binding: wanted)
            address = socket.address
            listener = DatagramListener(socket: socket)
        }
        if transports.contains(.tcp) {
            streamListeners.append(try await bindStream(address))
        }
        guard let listener else { return }
        datagramListeners.append(listener)
        try await openReader(of: listener)
    }

    // MARK: - UDP

    /// Starts to read a socket, through a duplicate of its descriptor that the channel owns.
    private func openReader(of listener: DatagramListener) async throws(EndpointError) {
        do {
            listener.channel = try await makeReader(of: listener).get()
        } catch {
            throw EndpointError(error, listeningOn: listener.socket.address)
        }
    }

    private func makeReader(of listener: DatagramListener) -> EventLoopFuture<any Channel> {
        guard let descriptor = listener.socket.duplicate() else {
            return loop.makeFailedFuture(IOError(errnoCode: errno, reason: "dup"))
        }
        let address = listener.socket.address
        // A read takes up to 32 datagrams of any size that UDP has; of the buffer only what they fill is ever touched.
        let bootstrap = DatagramBootstrap(group: loop)
            .channelOption(.datagramVectorReadMessageCount, value: 32)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 32 * 65_536))
            .channelOption(.receivePacketInfo, value: address.address.isUnspecified)
            .channelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramHandler(endpoint: self, bound: address))
                }
            }
        return bootstrap.withBoundSocket(descriptor)
    }

    /// The channel closed itself, because of news that it takes for the socket's end; the socket is read on.
    func datagramReaderClosed(_ bound: SocketAddress) {
        guard !isShutDown, let listener = datagramListeners.first(where: { $0.socket.address == bound }) else { return }
        listener.channel = nil
        takeDeliveryFailures(of: listener)
        // At once, but not more than 100 times a second, whatever the network says.
        let now = SystemClock.now
        let earliest = (listener.reopenedAt ?? .zero) + .milliseconds(10)
        listener.reopenedAt = max(now, earliest)
        let delay = TimeAmount.nanoseconds(max(0, (earliest - now).saturatedNanoseconds))
        loop.scheduleTask(in: delay) { [weak self] in
            self?.assumeIsolated { $0.reopenReader(bound) }
        }
    }

    private func reopenReader(_ bound: SocketAddress) {
        guard !isShutDown, let listener = datagramListeners.first(where: { $0.socket.address == bound }),
            listener.channel == nil
        else { return }
        makeReader(of: listener).whenComplete { [weak self] result in
            self?.assumeIsolated { endpoint in
                switch result {
                case .success(let channel):
                    guard !endpoint.isShutDown else { return channel.close(promise: nil) }
                    endpoint.datagramListeners.first { $0.socket.address == bound }?.channel = channel
                case .failure:
                    // Out of descriptors: tried again, with the pause between.
                    endpoint.datagramReaderClosed(bound)
                }
            }
        }
    }

    // MARK: - TCP

    private func bindStream(_ address: SocketAddress) async throws(EndpointError) -> StreamListener {
        let isWildcardV6 = !address.address.isV4
        var bootstrap = ServerBootstrap(group: loop, childGroup: loop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 64)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture {
                    try self.assumeIsolated { try $0.accept(channel) }
                }
            }
        if isWildcardV6 {
            bootstrap = bootstrap.serverChannelOption(
                ChannelOptions.Types.SocketOption(level: .ipv6, name: .ipv6_v6only), value: 1)
        }
        do {
            let channel = try await bootstrap.bind(to: address.nio).get()
            return StreamListener(channel: channel, address: SocketAddress(channel.localAddress) ?? address)
        } catch {
            throw EndpointError(error, listeningOn: address)
        }
    }
}

extension EndpointError {
    fileprivate init(_ error: any Error, listeningOn address: SocketAddress) {
        self.init((error as? IOError)?.errnoCode ?? EIO, binding: address)
    }
}
