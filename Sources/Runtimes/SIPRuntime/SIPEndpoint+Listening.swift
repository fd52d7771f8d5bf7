import EngineKit
import Glibc
import NIOCore
import NIOPosix
import SIPMessages
import SIPTransactions

import struct EngineKit.SocketAddress

/// A bound UDP socket, and who reads it.
final class DatagramListener {
    let socket: DatagramSocket
    var reader: DatagramReader?
    /// Whose datagrams wait in the socket to leave together.
    var queued: [(flow: Flow, cause: TransactionID?)] = []

    init(socket: DatagramSocket) {
        self.socket = socket
    }

    deinit { reader?.stop() }
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
        try startReader(of: listener)
    }

    // MARK: - UDP

    private func startReader(of listener: DatagramListener) throws(EndpointError) {
        let bound = listener.socket.address
        let reader = DatagramReader(of: listener.socket, on: thread) { [weak self] news in
            self?.assumeIsolated { $0.receive(news, at: bound) }
        }
        guard reader.start() else { throw EndpointError(EMFILE, binding: bound) }
        listener.reader = reader
    }

    // MARK: - TCP

    private func bindStream(_ address: SocketAddress) async throws(EndpointError) -> StreamListener {
        let isWildcardV6 = !address.address.isV4
        var bootstrap = ServerBootstrap(group: Self.streamLoop, childGroup: Self.streamLoop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 64)
            .serverChannelOption(.socketOption(.so_rcvbuf), value: Self.receiveBuffer)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { [self] channel in adopt(channel) }
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
