import EngineKit
import Proofs
import SIPMessages
import SIPUserAgent
import Testing

@testable import SIPRuntime

extension EndpointTests {
    struct Listening {
        private let anyPort = SocketAddress(.loopback, port: 0)

        @Test func givesUDPAndTCPTheSamePort() async throws {
            let phone = try await TestPhone()
            let listeners = await phone.endpoint.listeners
            #expect(listeners.map(\.transport) == [.udp, .tcp])
            #expect(listeners[0].address == listeners[1].address)
            #expect(listeners[0].address.port != 0)
            await phone.endpoint.shutDown()
        }

        @Test func refusesAPortThatIsTaken() async throws {
            let taken = try RawSocket(listeningAt: anyPort)
            // TCP has it, so that UDP can't have it either.
            await #expect(throws: EndpointError.addressInUse(taken.address)) {
                try await TestPhone(listen: [ListenAddress(taken.address)])
            }
            let udp = try await TestPhone(listen: [ListenAddress(taken.address, transports: [.udp])])
            #expect(await udp.endpoint.listeners.map(\.address) == [taken.address])
            await #expect(throws: EndpointError.addressInUse(taken.address)) {
                try await TestPhone(listen: [ListenAddress(taken.address, transports: [.udp])])
            }
            await udp.endpoint.shutDown()
        }

        @Test func theDefaultMovesToTheNextFreePort() async throws {
            let taken = try RawSocket(listeningAt: anyPort)
            let phone = try await TestPhone(listen: [ListenAddress(taken.address, mayUseNextPort: true)])
            let port = try await phone.address(.udp).port
            #expect(port > taken.address.port)
            #expect(try await phone.address(.tcp).port == port)
            await phone.endpoint.shutDown()
        }

        @Test func freesWhatItBoundAfterAnError() async throws {
            let first = ListenAddress(try RawSocket(datagramsAt: .loopback).address)
            let foreign = SocketAddress(.v4(0xc000_0201), port: 0)
            await #expect(throws: EndpointError.addressNotAvailable(foreign)) {
                try await TestPhone(listen: [first, ListenAddress(foreign)])
            }
            let phone = try await TestPhone(listen: [first])
            #expect(try await phone.address(.udp) == first.address)
            await phone.endpoint.shutDown()
        }

        @Test func anAddressThatMayBeMissingIsPassedOver() async throws {
            let foreign = ListenAddress(SocketAddress(.v4(0xc000_0201), port: 0), mayBeMissing: true)
            let phone = try await TestPhone(listen: [ListenAddress(anyPort), foreign])
            #expect(await phone.endpoint.listeners.map(\.address.address) == [.loopback, .loopback])
            await phone.endpoint.shutDown()
        }

        @Test func theDefaultIsEveryAddressOfBothFamilies() async throws {
            let phone = try await TestPhone(listen: ListenAddress.standard)
            let addresses = await phone.endpoint.listeners.map(\.address.address)
            let hasIPv6 = DatagramSocket.localAddress(towards: SocketAddress(.loopbackV6, port: 9)) != nil
            #expect(Set(addresses) == (hasIPv6 ? [.unspecified, .unspecifiedV6] : [.unspecified]))
            #expect(addresses.count == (hasIPv6 ? 4 : 2))
            await phone.endpoint.shutDown()
        }

        @Test(.proves(.row(35)))
        func answersFromTheAddressThatWasAsked() async throws {
            let phone = try await TestPhone(listen: [ListenAddress(SocketAddress(.unspecified, port: 0))])
            let port = try await phone.address(.udp).port
            let peer = try RawSocket(datagramsAt: .v4(0x7f00_0003))
            let asked = SocketAddress(.v4(0x7f00_0002), port: port)
            peer.send(options(via: "SIP/2.0/UDP 192.0.2.1:9"), to: asked)
            let answer = try #require(peer.receiveDatagram())
            #expect(answer.from == asked)
            #expect(answer.text.hasPrefix("SIP/2.0 200 "))
            #expect(answer.text.contains("received=127.0.0.3"))
            #expect(answer.text.contains("rport=\(peer.address.port)"))
            await phone.endpoint.shutDown()
        }

        @Test(.proves(.clause("RFC 5626 §3.5.1")))
        func passesOverKeepAliveDatagrams() async throws {
            let phone = try await TestPhone()
            let peer = try RawSocket(datagramsAt: .loopback)
            let address = try await phone.address(.udp)
            for keepAlive in ["", "\r\n\r\n", "\0\0\0\0"] { peer.send(keepAlive, to: address) }
            peer.send(options(via: "SIP/2.0/UDP 127.0.0.1:9"), to: address)
            #expect(peer.receiveDatagram()?.text.hasPrefix("SIP/2.0 200 ") == true)
            var messages = phone.messages.makeAsyncIterator()
            #expect(await messages.next()?.bytes.starts(with: Array("OPTIONS".utf8)) == true)
            await phone.endpoint.shutDown()
        }
    }
}
