import EngineKit
import Glibc
import Proofs
import Testing

@testable import SIPRuntime

struct DatagramSocketTests {
    private let anyPort = SocketAddress(.loopback, port: 0)

    /// An address on which nothing listens: a socket had it a moment ago.
    private func closedAddress() throws -> SocketAddress { try DatagramSocket(binding: anyPort).address }

    private func receive(on socket: DatagramSocket) -> [UInt8]? {
        var request = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&request, 1, 30_000) > 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 2048)
        let count = recv(socket.descriptor, &buffer, buffer.count, 0)
        return count >= 0 ? Array(buffer[..<count]) : nil
    }

    @Test func reportsThePortThatTheSystemChose() throws {
        let socket = try DatagramSocket(binding: anyPort)
        #expect(socket.address.port != 0)
        #expect(socket.address.address == .loopback)
    }

    @Test func saysWhyAnAddressCannotBeBound() throws {
        let socket = try DatagramSocket(binding: anyPort)
        #expect(throws: EndpointError.addressInUse(socket.address)) { try DatagramSocket(binding: socket.address) }
        // TEST-NET-1 is nobody's.
        let foreign = SocketAddress(.v4(0xc000_0201), port: 0)
        #expect(throws: EndpointError.addressNotAvailable(foreign)) { try DatagramSocket(binding: foreign) }
    }

    @Test(.proves(.row(44)))
    func hearsThatNobodyListens() throws {
        let socket = try DatagramSocket(binding: anyPort)
        let closed = try closedAddress()
        #expect(socket.send([1], from: .loopback, to: closed) { _ in } == nil)
        var request = pollfd(fd: socket.descriptor, events: 0, revents: 0)
        #expect(poll(&request, 1, 30_000) == 1)
        var failures: [DatagramSocket.DeliveryFailure] = []
        #expect(socket.takeDeliveryFailures { failures.append($0) } == 1)
        #expect(failures == [.init(remote: closed, errno: ECONNREFUSED)])
        #expect(socket.takeDeliveryFailures { _ in } == 0)
    }

    @Test(.proves(.row(44)))
    func newsOfOnePeerDoesNotKeepADatagramFromAnother() throws {
        let socket = try DatagramSocket(binding: anyPort)
        let peer = try DatagramSocket(binding: anyPort)
        let closed = try closedAddress()
        var failures: [SocketAddress] = []
        for round: UInt8 in 0..<20 {
            #expect(socket.send([1], from: .loopback, to: closed) { failures.append($0.remote) } == nil)
            #expect(socket.send([round], from: .loopback, to: peer.address) { failures.append($0.remote) } == nil)
            #expect(receive(on: peer) == [round])
        }
        #expect(!failures.isEmpty)
        #expect(failures.allSatisfy { $0 == closed })
    }

    @Test func whatLeavesTogetherArrivesInItsOrder() throws {
        let socket = try DatagramSocket(binding: anyPort)
        let peers = try (0..<2).map { _ in try DatagramSocket(binding: anyPort) }
        for round in 0..<3 {
            var count = 0
            while socket.enqueue(
                [UInt8](repeating: UInt8(count), count: count), from: .loopback, to: peers[count % 2].address)
            { count += 1 }
            #expect(count == DatagramOutbox.limit)
            socket.send {
                Issue.record("round \(round): \($0), error \($1)")
            } report: {
                Issue.record("\($0)")
            }
            for index in 0..<count {
                #expect(receive(on: peers[index % 2]) == [UInt8](repeating: UInt8(index), count: index))
            }
        }
    }

    @Test func aDatagramThatCanNotLeaveKeepsNoOtherBack() throws {
        let socket = try DatagramSocket(binding: anyPort)
        let peer = try DatagramSocket(binding: anyPort)
        // Nobody routes from the loopback address to TEST-NET-1.
        let foreign = SocketAddress(.v4(0xc000_0201), port: 9)
        for octet: UInt8 in 0..<6 {
            let isLost = octet % 2 == 0
            #expect(socket.enqueue([octet], from: .loopback, to: isLost ? foreign : peer.address))
        }
        var failures: [Int] = []
        socket.send { index, _ in
            failures.append(index)
        } report: { _ in
        }
        #expect(failures == [0, 2, 4])
        for octet: UInt8 in [1, 3, 5] { #expect(receive(on: peer) == [octet]) }
    }

    @Test func aBatchTakesAsManyOctetsAsUDPCarries() throws {
        let socket = try DatagramSocket(binding: anyPort)
        let large = [UInt8](repeating: 1, count: 40_000)
        #expect(socket.enqueue(large, from: .loopback, to: anyPort))
        #expect(!socket.enqueue(large, from: .loopback, to: anyPort))
        #expect(!socket.enqueue([UInt8](repeating: 1, count: 70_000), from: .loopback, to: anyPort))
        socket.outbox.removeAll()
        #expect(!socket.enqueue([UInt8](repeating: 1, count: 70_000), from: .loopback, to: anyPort))
    }

    @Test func sendsFromTheAddressThatItIsToldTo() throws {
        let socket = try DatagramSocket(binding: SocketAddress(.unspecified, port: 0))
        let peer = try DatagramSocket(binding: anyPort)
        let source = IPAddress.v4(0x7f00_0005)
        #expect(socket.send([9], from: source, to: peer.address) { _ in } == nil)
        var request = pollfd(fd: peer.descriptor, events: Int16(POLLIN), revents: 0)
        #expect(poll(&request, 1, 30_000) == 1)
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var byte: UInt8 = 0
        let count = withUnsafeMutableBytes(of: &storage) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) {
                recvfrom(peer.descriptor, &byte, 1, 0, $0.baseAddress, &length)
            }
        }
        #expect(count == 1 && byte == 9)
        #expect(SocketAddress(storage) == SocketAddress(source, port: socket.address.port))
    }

    @Test(.proves(.row(34)))
    func tellsWhatIsTooLargeForADatagram() throws {
        let socket = try DatagramSocket(binding: anyPort)
        let peer = try DatagramSocket(binding: anyPort)
        let bytes = [UInt8](repeating: 0, count: 65_508)
        #expect(socket.send(bytes, from: .loopback, to: peer.address) { _ in } == EMSGSIZE)
    }

    @Test func knowsOurAddressTowardsAPeer() {
        #expect(DatagramSocket.localAddress(towards: SocketAddress(.loopback, port: 5060)) == .loopback)
    }

    @Test func speaksIPv6WhereTheSystemDoes() throws {
        guard let socket = try? DatagramSocket(binding: SocketAddress(.loopbackV6, port: 0)) else { return }
        let any = try DatagramSocket(binding: SocketAddress(.unspecifiedV6, port: 0))
        #expect(any.send([7], from: .loopbackV6, to: socket.address) { _ in } == nil)
        #expect(receive(on: socket) == [7])
        let closed = try DatagramSocket(binding: SocketAddress(.loopbackV6, port: 0)).address
        #expect(socket.send([1], from: .loopbackV6, to: closed) { _ in } == nil)
        var request = pollfd(fd: socket.descriptor, events: 0, revents: 0)
        #expect(poll(&request, 1, 30_000) == 1)
        var failures: [DatagramSocket.DeliveryFailure] = []
        socket.takeDeliveryFailures { failures.append($0) }
        #expect(failures == [.init(remote: closed, errno: ECONNREFUSED)])
    }
}

extension DatagramSocket {
    /// Sends one datagram at once: the error that kept it from leaving, if any did.
    fileprivate func send(
        _ bytes: [UInt8], from source: IPAddress, to remote: SocketAddress, report: (DeliveryFailure) -> Void
    ) -> CInt? {
        guard enqueue(bytes, from: source, to: remote) else { return ENOBUFS }
        var failure: CInt?
        send(fail: { failure = $1 }, report: report)
        return failure
    }
}
