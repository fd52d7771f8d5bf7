import EngineKit
import Glibc
import NIOPosix
import Proofs
import Synchronization
import Testing

@testable import SIPRuntime

struct DatagramReaderTests {
    private let loop = MultiThreadedEventLoopGroup.singleton.next()

    /// What a reader told, in its order.
    private final class Post: Sendable {
        private let datagrams = Mutex<[[UInt8]]>([])
        private let refused = Mutex<[SocketAddress]>([])

        func take(_ news: DatagramReader.News) {
            switch news {
            case .datagrams(let came): datagrams.withLock { $0 += came.map(\.bytes) }
            case .failures(let came): refused.withLock { $0 += came.map(\.remote) }
            }
        }

        var bytes: [[UInt8]] { datagrams.withLock { $0 } }
        var failures: [SocketAddress] { refused.withLock { $0 } }

        /// Looks again until it is so, for thirty seconds at most.
        func eventually(_ condition: (Post) -> Bool) async throws -> Bool {
            for _ in 0..<3000 {
                if condition(self) { return true }
                try await Task.sleep(for: .milliseconds(10))
            }
            return false
        }
    }

    private func octets(_ number: Int) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xff)] }

    /// More than it reads ahead waits in the kernel, and is read when the event loop has time again.
    @Test func whatComesWhileTheEventLoopIsBusyIsReadInItsOrder() async throws {
        let socket = try DatagramSocket(binding: SocketAddress(.loopback, port: 0))
        let peer = try RawSocket(datagramsAt: .loopback)
        let post = Post()
        let reader = DatagramReader(of: socket, on: loop) { post.take($0) }
        #expect(reader.start())
        // The event loop waits for an octet.
        var ends: [CInt] = [0, 0]
        try #require(pipe(&ends) == 0)
        let (out, into) = (ends[0], ends[1])
        defer { for end in [out, into] { close(end) } }
        loop.execute {
            var octet: UInt8 = 0
            _ = read(out, &octet, 1)
        }
        // More than it reads ahead.
        for number in 0..<300 { peer.send(octets(number), to: socket.address) }
        #expect(write(into, [1], 1) == 1)
        #expect(try await post.eventually { $0.bytes == (0..<300).map(octets) })
        reader.stop()
    }

    @Test func nothingIsReadOnceItHasStopped() async throws {
        let socket = try DatagramSocket(binding: SocketAddress(.loopback, port: 0))
        let peer = try RawSocket(datagramsAt: .loopback)
        let post = Post()
        let reader = DatagramReader(of: socket, on: loop) { post.take($0) }
        #expect(reader.start())
        peer.send("one", to: socket.address)
        #expect(try await post.eventually { $0.bytes == [Array("one".utf8)] })
        reader.stop()
        peer.send("two", to: socket.address)
        var waiting = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
        #expect(poll(&waiting, 1, 30_000) == 1)
        #expect(post.bytes.count == 1)
    }

    /// The news of an ICMP error comes without anybody sending again.
    @Test(.proves(.row(44)))
    func tellsWhoCouldNotBeReached() async throws {
        let socket = try DatagramSocket(binding: SocketAddress(.loopback, port: 0))
        let post = Post()
        let reader = DatagramReader(of: socket, on: loop) { post.take($0) }
        #expect(reader.start())
        let closed = try DatagramSocket(binding: SocketAddress(.loopback, port: 0)).address
        #expect(socket.enqueue([1], from: .loopback, to: closed))
        socket.send { _, _ in
        } report: {
            post.take(.failures([$0]))
        }
        #expect(try await post.eventually { $0.failures == [closed] })
        // And goes on.
        try RawSocket(datagramsAt: .loopback).send("one", to: socket.address)
        #expect(try await post.eventually { $0.bytes == [Array("one".utf8)] })
        reader.stop()
    }
}
