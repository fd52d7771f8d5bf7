import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import Testing

@testable import SIPUserAgent

/// Address translators (NAT) between us and the registrar.
extension RegisteredFlowTests {
    @Test(.proves(.row(35), .clause("RFC 3581 §4")))
    func registersTheAddressThatTheRegistrarSees() throws {
        var world = try registered(seen: "203.0.113.7:40001")
        #expect(registers(world).count == 2)
        let contacts = try #require(try registers(world).last?.headers.all(Contact.self))
        #expect(
            contacts.map { "\($0.uri?.description ?? "")" } == [
                "sip:alice@203.0.113.7:40001", "sip:alice@192.0.2.1:5060",
            ])
        #expect(contacts.last?.expires == 0)
        try grant(&world, seen: "203.0.113.7:40001")
        // Another address again, in the answer to the second: it is not chased within one round.
        #expect(registers(world).count == 2)
        let call = OutgoingCall(target: try target("sip:bob@example.com"), media: World.media)
        world.perform(.call(caller, call), by: "alice")
        world.run(for: .milliseconds(20))
        #expect(contact(world.last(.invite, at: "carol")) == "sip:alice@203.0.113.7:40001")
    }

    @Test(.proves(.row(35)), arguments: ["0.0.0.0:5060", "224.0.0.1:5060", "203.0.113.7:0"])
    func registersNoPlaceWhereNobodyIs(seen: String) throws {
        let world = try registered(seen: seen)
        #expect(registers(world).count == 1)
    }

    @Test func doesNotChaseATranslatorThatAlwaysGivesAnotherPort() throws {
        var world = try registered(seen: "203.0.113.7:40001")
        try grant(&world, seen: "203.0.113.7:40002")
        #expect(registers(world).count == 2)
    }

    @Test(.proves(.row(36), .clause("RFC 3581 §4")))
    func registersAnewAndMovesItsCallsWhenTheTranslatorForgets() throws {
        var world = try registered(seen: "203.0.113.7:40001")
        try grant(&world, seen: "203.0.113.7:40001")
        let call = OutgoingCall(target: try target("sip:bob@example.com"), media: World.media)
        world.perform(.call(caller, call), by: "alice")
        world.run(for: .milliseconds(20))
        let invite = try #require(world.last(.invite, at: "carol"))
        var answer = invite.response(200, toTag: "bob")
        answer.vias[0].received = IPAddress("203.0.113.7")
        answer.vias[0].rport = .value(40001)
        try answer.headers.append(.contact, "<sip:bob@192.0.2.9>")
        answer.headers.append(ContentType.sdp)
        answer.body = Array(World.answerText.utf8)
        world.send(.response(answer), from: "carol", to: "alice")
        world.run(for: .milliseconds(20))
        #expect(registers(world).count == 2)
        world.perform(
            .request(
                RequestHandle(rawValue: 1),
                OutgoingRequest(.options, to: .address(try target("sip:example.com")))), by: "alice")
        world.run(for: .milliseconds(20))
        var pong = try #require(world.last(.options, at: "carol")).response(200, toTag: "r")
        pong.vias[0].received = IPAddress("203.0.113.7")
        pong.vias[0].rport = .value(50_000)
        world.send(.response(pong), from: "carol", to: "alice")
        world.run(for: .milliseconds(50))
        #expect(registers(world).count == 3)
        #expect(contact(registers(world).last) == "sip:alice@203.0.113.7:50000")
        let reinvite = try #require(world.last(.invite, at: "carol"))
        #expect(reinvite.to.tag == "bob" && contact(reinvite) == "sip:alice@203.0.113.7:50000")
    }

    /// The translator gave a place to the listener that registered, and to no other.
    @Test(.proves(.clause("RFC 3581 §4")))
    func whatCameToAnotherListenerIsNotNamedByTheTranslator() throws {
        var world = try registered(seen: "203.0.113.7:40001")
        try grant(&world, seen: "203.0.113.7:40001")
        let places = try ["192.0.2.1:5060", "192.0.2.1:5080"].map { try #require(SocketAddress($0)) }
        var core = try #require(world.cores["alice"])
        core.receive(.listening(places.map { Listener(transport: .udp, address: $0) }), at: world.now)
        var named: [String?] = []
        for place in places {
            let ping = try world.request(.options, from: "carol", to: "alice", callID: "ping-\(place.port)")
            let flow = Flow(transport: .udp, local: place, remote: try #require(world.addresses["carol"]))
            core.receive(.received(ping.bytes(), over: flow), at: world.now)
            while let output = core.nextOutput() {
                guard case .transmit(let transmit) = output,
                    case .response(let pong) = try MessageParser.parse(transmit.bytes)
                else { continue }
                named.append(try pong.headers.first(Contact.self)?.uri?.description)
            }
        }
        #expect(named == ["sip:alice@203.0.113.7:40001", "sip:alice@192.0.2.1:5080"])
    }

    @Test func keepsATranslatorOpen() throws {
        var world = try registered(seen: "203.0.113.7:40001")
        try grant(&world, seen: "203.0.113.7:40001")
        world.run(for: .seconds(300))
        let pings = world.keepAlives
        #expect(
            pings.allSatisfy { $0.bytes == Array("\r\n\r\n".utf8) && $0.flow.remote.address == IPAddress("192.0.2.9") })
        #expect(pings.count >= 10 && pings.count <= 13)
        for (one, next) in zip(pings, pings.dropFirst()) {
            #expect(next.at - one.at >= .seconds(24) && next.at - one.at <= .seconds(29))
        }
    }

    @Test func sendsNoKeepAlivesWithoutATranslatorOrWhereTheyAreOff() throws {
        var plain = try registered()
        plain.run(for: .seconds(300))
        #expect(plain.keepAlives.isEmpty)
        var off = try registered(seen: "203.0.113.7:40001") { $0.keepAlive = .off }
        off.run(for: .seconds(300))
        #expect(off.keepAlives.isEmpty)
        var often = try registered { $0.keepAlive = .every(.seconds(10)) }
        often.run(for: .seconds(100))
        #expect(often.keepAlives.count >= 10)
    }
}
