import EngineKit
import NameServer
import SIPMessages
import SIPRuntime
import SIPTransactions
import SIPUserAgent
import Testing

extension EndpointTests {
    /// Calls to a domain, through NAPTR, SRV and address records.
    struct Names {
        /// The domain `d.test`: a server where nobody listens, and one at the address of `phone`.
        private func zone(_ phone: TestPhone, over transport: Transport, dead: UInt16) async throws -> Zone {
            let name = transport == .tcp ? "_sip._tcp.d.test" : "_sip._udp.d.test"
            let port = try await phone.address(transport).port
            return Zone([
                .naptr("d.test", order: 5, service: transport == .tcp ? "SIP+D2T" : "SIP+D2U", replacement: name),
                .srv(name, priority: 1, port: dead, target: "dead.d.test"),
                .srv(name, priority: 2, port: port, target: "alive.d.test"),
                .a("dead.d.test", [127, 0, 0, 1]), .alias("alive.d.test", of: "host.d.test"),
                .a("host.d.test", [127, 0, 0, 1]),
            ])
        }

        @Test(arguments: [Transport.udp, .tcp])
        func callsADomainAndPassesADeadServer(over transport: Transport) async throws {
            let bob = try await TestPhone(seed: 2)
            // A port that was free a moment ago.
            let gone = try await TestPhone(seed: 3)
            let dead = try await gone.address(transport).port
            await gone.endpoint.shutDown()
            let server = try NameServer(try await zone(bob, over: transport, dead: dead))
            defer { server.stop() }
            let nameServer = try #require(SocketAddress(server.address))
            let alice = try await TestPhone(seed: 1) { $0.nameServers = [nameServer] }
            let handle = CallHandle(rawValue: 7)
            let target = try URI(parsing: "sip:bob@d.test")
            await alice.endpoint.perform(.call(handle, OutgoingCall(target: target, media: TestPhone.media)))
            let (incoming, offer) = try await bob.next {
                if case .incomingCall(let handle, let incoming) = $0 { (handle, incoming) } else { nil }
            }
            #expect(offer.flow.transport == transport)
            await bob.endpoint.perform(.reject(incoming, 486))
            #expect(try await alice.nextEnd().status == 486)
            #expect(server.queries.contains("35 d.test"))
            // Where it failed is remembered, and so are the records.
            let asked = server.queries.count
            await alice.endpoint.perform(
                .call(CallHandle(rawValue: 8), OutgoingCall(target: target, media: TestPhone.media)))
            let again = try await bob.next { if case .incomingCall(let handle, _) = $0 { handle } else { nil } }
            await bob.endpoint.perform(.reject(again, 486))
            #expect(try await alice.nextEnd().status == 486)
            #expect(server.queries.count == asked)
            await alice.endpoint.shutDown()
            await bob.endpoint.shutDown()
        }

        @Test(arguments: [
            (NameServer.Behaviour?.none, "no such host, nobody.test"),
            (.refusing(code: 2), "the name servers have no answer, nobody.test"),
        ])
        func saysWhyANameLeadsNowhere(behaviour: NameServer.Behaviour?, reason: String) async throws {
            let server = try NameServer(Zone())
            defer { server.stop() }
            if let behaviour { server.behave(behaviour) }
            let nameServer = try #require(SocketAddress(server.address))
            let alice = try await TestPhone(seed: 1) { $0.nameServers = [nameServer] }
            let target = try URI(parsing: "sip:bob@nobody.test")
            await alice.endpoint.perform(
                .call(CallHandle(rawValue: 7), OutgoingCall(target: target, media: TestPhone.media)))
            let end = try await alice.nextEnd()
            #expect(end.cause == .unreachable && end.reason == reason)
            await alice.endpoint.shutDown()
        }
    }
}
