import EngineKit
import Glibc
import Proofs
import Synchronization
import Testing

@testable import SIPRuntime

struct DatagramReaderTests {
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

    /// A socket that is read, on the thread where that happens.
    private actor Host {
        let post = Post()
        let address: SocketAddress
        private let thread: SignallingThread
        private let socket: DatagramSocket
        private let reader: DatagramReader

        nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

        init(on thread: SignallingThread = .shared) throws {
            self.thread = thread
            socket = try DatagramSocket(binding: SocketAddress(.loopback, port: 0))
            address = socket.address
            reader = DatagramReader(of: socket, on: thread) { [post] in post.take($0) }
        }

        func start() -> Bool { reader.start() }

        func stop() { reader.stop() }

        func send(_ bytes: [UInt8], to remote: SocketAddress) {
            _ = socket.enqueue(bytes, from: .loopback, to: remote)
            socket.send { _, _ in
            } report: {
                post.take(.failures([$0]))
            }
        }

        /// Whether something waits in the socket within thirty seconds.
        func isReadable() -> Bool {
            var waiting = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
            return poll(&waiting, 1, 30_000) == 1
        }
    }

    private func octets(_ number: Int) -> [UInt8] { [UInt8(number >> 8), UInt8(number & 0xff)] }

    /// What comes while the thread has other work waits in the kernel, and is read in its order.
    @Test func whatComesWhileTheThreadIsBusyIsReadInItsOrder() async throws {
        let thread = SignallingThread.shared
        let host = try Host(on: thread)
        #expect(await host.start())
        let peer = try RawSocket(datagramsAt: .loopback)
        // The thread says that it is busy, and waits for an octet.
        var (busy, free): ([CInt], [CInt]) = ([0, 0], [0, 0])
        try #require(pipe(&busy) == 0 && pipe(&free) == 0)
        let (isBusy, saysBusy, waits, into) = (busy[0], busy[1], free[0], free[1])
        defer { for end in [isBusy, saysBusy, waits, into] { close(end) } }
        thread.execute {
            var octet: UInt8 = 0
            _ = write(saysBusy, &octet, 1)
            _ = read(waits, &octet, 1)
        }
        var octet: UInt8 = 0
        #expect(read(isBusy, &octet, 1) == 1)
        // More than it takes in a turn.
        for number in 0..<300 { peer.send(octets(number), to: host.address) }
        #expect(host.post.bytes.isEmpty)
        #expect(write(into, [1], 1) == 1)
        #expect(try await host.post.eventually { $0.bytes == (0..<300).map(octets) })
        await host.stop()
    }

    @Test func nothingIsReadOnceItHasStopped() async throws {
        let host = try Host()
        #expect(await host.start())
        let peer = try RawSocket(datagramsAt: .loopback)
        peer.send("one", to: host.address)
        #expect(try await host.post.eventually { $0.bytes == [Array("one".utf8)] })
        await host.stop()
        peer.send("two", to: host.address)
        #expect(await host.isReadable())
        #expect(host.post.bytes.count == 1)
    }

    /// The news of an ICMP error comes without anybody sending again.
    @Test(.proves(.row(44)))
    func tellsWhoCouldNotBeReached() async throws {
        let host = try Host()
        #expect(await host.start())
        let closed = try DatagramSocket(binding: SocketAddress(.loopback, port: 0)).address
        await host.send([1], to: closed)
        #expect(try await host.post.eventually { $0.failures == [closed] })
        // And goes on.
        try RawSocket(datagramsAt: .loopback).send("one", to: host.address)
        #expect(try await host.post.eventually { $0.bytes == [Array("one".utf8)] })
        await host.stop()
    }
}
