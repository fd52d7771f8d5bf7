import EngineKit
import NIOCore
import NIOPosix
import SIPMessages
import SIPTransactions
import SIPUserAgent

import struct EngineKit.SocketAddress

/// A connection beyond the limits.
struct TooManyConnections: Error {}

/// Connections live on an event loop of NIO: what comes over them changes threads, and the next read waits for that, so
/// that a peer can't send faster than its messages are done with.
extension SIPEndpoint {
    /// That of all connections of this process. Its thread starts with the first and is never stopped.
    static let streamLoop: any EventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()

    /// Keep-alives of one read that are answered.
    private static let mostPings = 16
    /// What the kernel holds of a connection, in octets, until it is read: at the end of one all of it comes at once.
    static let receiveBuffer: ChannelOptions.Types.SocketOption.Value = 65_536

    // MARK: - Receiving

    /// Takes a connection that a peer opened, or fails, which closes it.
    nonisolated func adopt(_ channel: any Channel) -> EventLoopFuture<Void> {
        // While the thread has other work, no more may wait for it than there may be.
        let waiting = adoptions.add(1, ordering: .relaxed).newValue
        guard waiting <= configuration.streamLimits.connections else {
            adoptions.subtract(1, ordering: .relaxed)
            return channel.eventLoop.makeFailedFuture(TooManyConnections())
        }
        let accepted = channel.eventLoop.makePromise(of: ConnectionID.self)
        thread.execute { [self] in
            adoptions.subtract(1, ordering: .relaxed)
            accepted.completeWith(Result { try assumeIsolated { try $0.accept(channel) } })
        }
        return accepted.futureResult.flatMapThrowing { [self] id in
            do {
                try prepare(channel, for: id, readsWhenActive: true)
            } catch {
                thread.execute { self.assumeIsolated { $0.connectionClosed(id) } }
                throw error
            }
        }
    }

    private func accept(_ channel: any Channel) throws -> ConnectionID {
        guard !isShutDown, let local = SocketAddress(channel.localAddress),
            let remote = SocketAddress(channel.remoteAddress),
            let id = connections.accept(local: local, remote: remote, at: SystemClock.now)
        else { throw TooManyConnections() }
        begin(id, on: channel)
        settle()
        return id
    }

    private func begin(_ id: ConnectionID, on channel: any Channel) {
        channels[id] = channel
        framers[id] = StreamFramer()
    }

    private nonisolated func prepare(_ channel: any Channel, for id: ConnectionID, readsWhenActive: Bool) throws {
        let highWater = configuration.streamLimits.writeHighWater
        let mark = ChannelOptions.Types.WriteBufferWaterMark(low: highWater / 2, high: highWater)
        try channel.syncOptions?.setOption(.writeBufferWaterMark, value: mark)
        // What the kernel holds for a peer that does not read counts too: by itself it would take megabytes.
        try channel.syncOptions?.setOption(.socketOption(.so_sndbuf), value: .init(highWater))
        // One read, and the next when that is done with, so that whoever floods one connection does not keep the others
        // waiting.
        try channel.syncOptions?.setOption(.autoRead, value: false)
        try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
        // Whoever says all and then no more still gets its answers.
        try channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
        try channel.syncOptions?.setOption(
            .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 2048, maximum: 16_384))
        try channel.pipeline.syncOperations.addHandler(
            StreamHandler(endpoint: self, id: id, readsWhenActive: readsWhenActive))
    }

    /// Cuts what came into messages.
    func receive(_ bytes: ByteBuffer, on id: ConnectionID) {
        framers[id]?.append(bytes.readableBytesView)
        var messages = 0
        var pings = 0
        do throws(FramingError) {
            // A message may be the reason to close.
            while let frame = try framers[id]?.next(), let flow = connections.flow(of: id) {
                switch frame {
                case .message: messages += 1
                case .keepAlivePing: pings += 1
                case .keepAlivePong: break
                }
                // A ping comes twice a minute (RFC 5626 §4.4.1). Blank lines by the dozen are none: before a message
                // they are passed over, however many (RFC 3261 §7.5).
                if frame == .keepAlivePing, pings > Self.mostPings { continue }
                receive(frame, on: id, over: flow)
            }
        } catch {
            return framingFailed(error, on: id)
        }
        let pending = framers[id]?.pending ?? 0
        connections.noteRead(on: id, messages: messages, pending: pending, at: SystemClock.now)
        settle()
        channels[id]?.read()
    }

    private func receive(_ frame: StreamFramer.Frame, on id: ConnectionID, over flow: Flow) {
        switch frame {
        case .message(let bytes):
            trace(.received, bytes, flow)
            receive(.received(bytes, over: flow))
        case .keepAlivePing:
            write(Array("\r\n".utf8), on: id)
        case .keepAlivePong:
            receive(.keepAliveAnswered(id))
        }
    }

    /// The stream can't be cut any further: whoever asked is told, and the connection ends (RFC 3261 §18.3).
    private func framingFailed(_ error: FramingError, on id: ConnectionID) {
        if let flow = connections.flow(of: id) {
            trace(.received, error.head, flow)
            if let answer = error.owedResponse?.bytes() {
                trace(.sent, answer, flow)
                write(answer, on: id)
            }
            unreadable.insert(id)
        }
        close(id)
    }

    // MARK: - Sending

    /// Sends over the flow's connection, another one to the same address, or one that is opened for it. A response
    /// whose connection is gone goes to its fallback (RFC 3261 §18.2.2).
    func sendOnStream(_ transmit: Transmit) {
        var transmit = transmit
        if let id = transmit.flow.connection {
            if connections.flow(of: id) != nil { return send(transmit, on: id) }
            guard let fallback = transmit.fallback else {
                return transmitFailed(transmit.flow, transmit.cause, .reset)
            }
            transmit.flow.connection = nil
            transmit.flow.remote = fallback
        }
        if let id = connections.connection(to: transmit.flow.remote) { return send(transmit, on: id) }
        open(for: transmit)
    }

    private func send(_ transmit: Transmit, on id: ConnectionID) {
        guard channels[id] != nil else {
            let queued = waiting[id, default: []]
            let size = queued.reduce(transmit.bytes.count) { $0 + $1.bytes.count }
            guard size <= configuration.streamLimits.writeHighWater else {
                return transmitFailed(transmit.flow, transmit.cause, .overloaded)
            }
            waiting[id] = queued + [transmit]
            return
        }
        if let flow = connections.flow(of: id) { trace(.sent, transmit.bytes, flow) }
        write(transmit.bytes, on: id)
    }

    private func write(_ bytes: [UInt8], on id: ConnectionID) {
        guard let channel = channels[id] else { return }
        connections.noteWrite(on: id, at: SystemClock.now)
        channel.writeAndFlush(channel.allocator.buffer(bytes: bytes), promise: nil)
    }

    // MARK: - Opening and closing

    private func open(for transmit: Transmit) {
        let flow = transmit.flow
        guard let id = connections.open(local: flow.local, remote: flow.remote, at: SystemClock.now) else {
            return transmitFailed(flow, transmit.cause, .overloaded)
        }
        waiting[id] = [transmit]
        let timeout = configuration.streamLimits.connect.saturatedNanoseconds
        var bootstrap = ClientBootstrap(group: Self.streamLoop)
            .connectTimeout(.nanoseconds(timeout))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.socketOption(.so_rcvbuf), value: Self.receiveBuffer)
            .channelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try prepare(channel, for: id, readsWhenActive: false) }
            }
        // From the address that our Via and Contact name.
        if !flow.local.address.isUnspecified {
            bootstrap = bootstrap.bind(to: SocketAddress(flow.local.address, port: 0).nio)
        }
        bootstrap.connect(to: flow.remote.nio).whenComplete { [weak self, thread] result in
            thread.execute { [weak self] in self?.assumeIsolated { $0.opened(id, result) } }
        }
    }

    private func opened(_ id: ConnectionID, _ result: Result<any Channel, any Error>) {
        let queued = waiting.removeValue(forKey: id) ?? []
        switch result {
        case .success(let channel):
            guard !isShutDown, connections.flow(of: id) != nil else { return channel.close(promise: nil) }
            begin(id, on: channel)
            for transmit in queued { send(transmit, on: id) }
            channel.read()
        case .failure(let error):
            _ = connections.remove(id)
            let failure = TransmitFailure(connecting: error)
            for transmit in queued { transmitFailed(transmit.flow, transmit.cause, failure) }
        }
        settle()
    }

    func close(_ id: ConnectionID) {
        guard let channel = channels[id] else {
            _ = connections.remove(id)
            return
        }
        channel.close(promise: nil)
        // Not when the channel has: what goes there from now on goes over another connection.
        connectionClosed(id)
    }

    func connectionClosed(_ id: ConnectionID) {
        channels[id] = nil
        framers[id] = nil
        let failure: TransmitFailure = unreadable.remove(id) == nil ? .reset : .unreadable
        guard let flow = connections.remove(id), !isShutDown else { return }
        // Requests were sent over "any connection to there", so both the flow and the connection are named.
        core.receive(.connectionClosed(id, failure), at: SystemClock.now)
        transmitFailed(
            Flow(transport: flow.transport, local: flow.local, remote: flow.remote), nil, failure)
        settle()
    }

    /// Waits until what was written is with the kernel, and what was closed is. The event loop waits for nothing of ours.
    func finishStreams() {
        guard !streamListeners.isEmpty || !channels.isEmpty || !waiting.isEmpty else { return }
        try? Self.streamLoop.submit {}.wait()
    }
}

extension FramingError {
    /// What a request is owed whose end can't be found.
    fileprivate var owedResponse: Response? {
        do throws(ParseError) {
            guard case .request(let request) = try MessageParser.parse(head), request.method != .ack else { return nil }
            return kind == .tooLong ? request.response(513) : request.response(400, reason: "Bad Content-Length")
        } catch {
            return error.owedResponse
        }
    }
}

extension TransmitFailure {
    fileprivate init(connecting error: any Error) {
        switch error {
        case let error as IOError: self.init(errno: error.errnoCode)
        case ChannelError.connectTimeout: self = .timedOut
        default: self = .other
        }
    }
}
