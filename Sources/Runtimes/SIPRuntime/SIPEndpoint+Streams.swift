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

    // MARK: - Receiving

    /// Takes a connection that a peer opened, or fails, which closes it.
    nonisolated func adopt(_ channel: any Channel) -> EventLoopFuture<Void> {
        let accepted = channel.eventLoop.makePromise(of: ConnectionID.self)
        thread.execute { [self] in
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
        channels[id] = channel
        settle()
        return id
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
        try channel.syncOptions?.setOption(
            .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 2048, maximum: 16_384))
        try channel.pipeline.syncOperations.addHandler(
            StreamHandler(endpoint: self, id: id, readsWhenActive: readsWhenActive))
    }

    func receive(_ read: StreamRead, on id: ConnectionID) {
        for frame in read.frames { receive(frame, on: id) }
        if let error = read.error { return framingFailed(error, on: id) }
        connections.noteRead(on: id, messages: read.messages, pending: read.pending, at: SystemClock.now)
        settle()
        channels[id]?.read()
    }

    private func receive(_ frame: StreamFramer.Frame, on id: ConnectionID) {
        // A message before it may have been the reason to close.
        guard let flow = connections.flow(of: id) else { return }
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
        }
        unreadable.insert(id)
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
            channels[id] = channel
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
        guard let flow = connections.remove(id), let channel = channels[id] else { return }
        closing[id] = flow
        channel.close(promise: nil)
    }

    func connectionClosed(_ id: ConnectionID) {
        channels[id] = nil
        let failure: TransmitFailure = unreadable.remove(id) == nil ? .reset : .unreadable
        guard let flow = closing.removeValue(forKey: id) ?? connections.remove(id), !isShutDown else { return }
        // Requests were sent over "any connection to there", so both the flow and the connection are named.
        core.receive(.connectionClosed(id, failure), at: SystemClock.now)
        transmitFailed(
            Flow(transport: flow.transport, local: flow.local, remote: flow.remote), nil, failure)
        settle()
    }

    /// Waits until what was written is with the kernel, and what was closed is. The event loop waits for nothing of ours.
    func finishStreams() { try? Self.streamLoop.submit {}.wait() }
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
