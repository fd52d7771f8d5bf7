import EngineKit
import Glibc
import SIPMessages
import Testing

@testable import SIPRuntime

/// A peer that speaks in octets: a socket whose waits end after thirty seconds.
final class RawSocket {
    private let descriptor: CInt

    /// Connects over TCP; a small receive buffer has to be asked for before.
    init(connectingTo address: EngineKit.SocketAddress, receiveBuffer: CInt? = nil) throws {
        descriptor = socket(address.address.isV4 ? AF_INET : AF_INET6, CInt(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        }
        try #require(address.withSockaddr { connect(descriptor, $0, $1) } == 0)
        var one: CInt = 1
        setsockopt(descriptor, CInt(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<CInt>.size))
    }

    /// A UDP socket on a port of its own.
    init(datagramsAt address: IPAddress = .loopback) throws {
        descriptor = socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0)
        try #require(SocketAddress(address, port: 0).withSockaddr { bind(descriptor, $0, $1) } == 0)
    }

    /// Listens on TCP, or takes the one connection that comes.
    init(listeningAt address: EngineKit.SocketAddress) throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        try #require(address.withSockaddr { bind(descriptor, $0, $1) } == 0)
        try #require(listen(descriptor, 8) == 0)
    }

    private init(taking descriptor: CInt) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    var address: EngineKit.SocketAddress {
        DatagramSocket.localAddress(of: descriptor) ?? SocketAddress(.unspecified, port: 0)
    }

    func accept() throws -> RawSocket {
        try #require(waitUntilReadable())
        let connection = Glibc.accept(descriptor, nil, nil)
        try #require(connection >= 0)
        return RawSocket(taking: connection)
    }

    /// Says that no more will be sent; what comes can still be received.
    func endOutput() { Glibc.shutdown(descriptor, CInt(SHUT_WR)) }

    /// Negative when the peer has closed.
    @discardableResult
    func send(_ bytes: some Collection<UInt8>) -> Int {
        let bytes = Array(bytes)
        return Glibc.send(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL))
    }

    @discardableResult
    func send(_ text: String) -> Int { send(Array(text.utf8)) }

    func send(_ text: String, to address: EngineKit.SocketAddress) { send(Array(text.utf8), to: address) }

    func send(_ bytes: [UInt8], to address: EngineKit.SocketAddress) {
        _ = address.withSockaddr { sendto(descriptor, bytes, bytes.count, 0, $0, $1) }
    }

    /// What one read gives, and from where; nil after thirty seconds.
    func receiveDatagram() -> (text: String, from: EngineKit.SocketAddress?)? {
        guard waitUntilReadable() else { return nil }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = withUnsafeMutableBytes(of: &storage) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) {
                recvfrom(descriptor, &buffer, buffer.count, 0, $0.baseAddress, &length)
            }
        }
        guard count >= 0 else { return nil }
        return (String(decoding: buffer[..<count], as: UTF8.self), SocketAddress(storage))
    }

    /// What one read of a stream gives: nothing where the peer closed, or is silent for thirty seconds.
    func receive() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        guard waitUntilReadable() else { return [] }
        return Array(buffer[..<max(0, recv(descriptor, &buffer, buffer.count, 0))])
    }

    /// Reads until `end` stands at the end of what came, or the peer closes, or thirty seconds pass without anything.
    func receive(until end: String) -> String {
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while waitUntilReadable() {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count <= 0 { break }
            text += buffer[..<count]
            if text.suffix(end.utf8.count).elementsEqual(end.utf8) { break }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The next whole SIP message of a stream; nothing may come behind it.
    func receiveMessage() throws -> Message {
        var framer = StreamFramer()
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while waitUntilReadable() {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count <= 0 { break }
            framer.append(buffer[..<count])
            if case .message(let bytes) = try framer.next() { return try MessageParser.parse(bytes) }
        }
        throw Silence()
    }

    struct Silence: Error {}

    /// Whether the peer closes, or resets, within thirty seconds; what it sends before is dropped.
    func isClosedByPeer() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while waitUntilReadable() {
            if recv(descriptor, &buffer, buffer.count, 0) <= 0 { return true }
        }
        return false
    }

    private func waitUntilReadable() -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&request, 1, 30_000) > 0
    }
}
