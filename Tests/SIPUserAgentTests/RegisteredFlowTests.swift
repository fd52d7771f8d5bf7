import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import Testing

@testable import SIPUserAgent

/// A registered account in the user agent: its flow, its routes, and where it is reached.
@Suite struct RegisteredFlowTests {
    let work = AccountID(rawValue: 1)
    static let instance = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"

    func world(transport: Transport? = nil, _ change: (inout Account) throws -> Void = { _ in }) throws -> World {
        var account = Account(
            id: work, name: "work", address: try NameAddress(parsing: "<sip:alice@example.com>"),
            registrar: try URI(parsing: "sip:example.com"), transport: transport)
        account.usesGRUU = true
        try change(&account)
        var configuration = UserAgentConfiguration(
            accounts: [account], product: "", capabilities: World.media, maximumCallDuration: nil)
        configuration.instance = Self.instance
        var world = World()
        world.add("alice", at: "192.0.2.1", configuration: configuration)
        world.addScripted("carol", at: "192.0.2.9")
        world.names["example.com"] = [try #require(SocketAddress("192.0.2.9:5060"))]
        return world
    }

    /// Carol, the registrar, grants the last REGISTER, and says by which address she sees Alice.
    func grant(
        _ world: inout World, seen: String? = nil, expires: Int = 3600, _ fields: [(HeaderName, String)] = []
    ) throws {
        let register = try #require(world.last(.register, at: "carol"))
        var response = register.response(200, toTag: "r")
        if let seen, let address = SocketAddress(seen) {
            response.vias[0].received = address.address
            response.vias[0].rport = .value(address.port)
        }
        let contact = try #require(try register.headers.all(Contact.self).first?.uri)
        try response.headers.append(
            .contact, #"<\#(contact)>;+sip.instance="<\#(Self.instance)>";reg-id=1;expires=\#(expires)"#)
        for (name, value) in fields { try response.headers.append(name, value) }
        world.send(.response(response), from: "carol", to: "alice")
        world.run(for: .milliseconds(20))
    }

    func registered(
        seen: String? = nil, _ fields: [(HeaderName, String)] = [], _ change: (inout Account) throws -> Void = { _ in }
    ) throws -> World {
        var world = try world(change)
        world.perform(.register(work), by: "alice")
        world.run(for: .milliseconds(20))
        try grant(&world, seen: seen, fields)
        return world
    }

    /// Each REGISTER once, however often it was sent.
    func registers(_ world: World) -> [Request] {
        var seen: Set<UInt32> = []
        return world.requests(.register, from: "alice").filter { seen.insert($0.cSeq.number).inserted }
    }

    func contact(_ request: Request?) -> String? {
        (try? request?.headers.all(Contact.self))?.first?.uri?.description
    }

    // MARK: - Routes and addresses

    @Test(.proves(.clause("RFC 3608 §6.1")))
    func callsGoByTheServiceRoute() throws {
        var world = try registered([(.serviceRoute, "<sip:192.0.2.9;lr>, <sip:core.example.com;lr>")])
        let call = OutgoingCall(target: try target("sip:bob@elsewhere.example"), media: World.media)
        world.perform(.call(caller, call), by: "alice")
        world.run(for: .milliseconds(20))
        let invite = try #require(world.last(.invite, at: "carol"))
        #expect(
            invite.headers.values(.route).joined(separator: ", ") == "<sip:192.0.2.9;lr>, <sip:core.example.com;lr>")
        #expect(invite.uri.description == "sip:bob@elsewhere.example")
        // REGISTER itself does not (RFC 3608 §5).
        world.run(for: .seconds(3600))
        #expect(registers(world).allSatisfy { !$0.headers.contains(.route) })
    }

    @Test(.proves(.clause("RFC 5627 §4.3"), .clause("RFC 5627 §4.4")))
    func dialogsNameTheGRUU() throws {
        let gruu = "sip:alice@example.com;gr=\(Self.instance)"
        var world = try world()
        world.perform(.register(work), by: "alice")
        world.run(for: .milliseconds(20))
        let register = try #require(world.last(.register, at: "carol"))
        try world.reply(
            200, to: register, from: "carol", tag: "r",
            headers: [
                (
                    .contact,
                    #"<sip:alice@192.0.2.1:5060>;expires=60;pub-gruu="\#(gruu)";temp-gruu="sip:t7@example.com;gr""#
                )
            ])
        let call = OutgoingCall(target: try target("sip:bob@example.com"), media: World.media)
        world.perform(.call(caller, call), by: "alice")
        world.run(for: .milliseconds(20))
        #expect(contact(world.last(.invite, at: "carol")) == gruu)
        // A call to the temporary one is for this account (RFC 5627 §4.4).
        var invite = try world.request(.invite, from: "carol", to: "alice", callID: "t", body: World.answerText)
        invite.uri = try URI(parsing: "sip:t7@192.0.2.1")
        world.ask(invite, from: "carol", to: "alice")
        #expect(world.incoming(at: "alice") != nil)
    }

    @Test(.proves(.clause("RFC 5626 §4.3")))
    func dialogsKeepToTheFlowThatTheRegistrarKeeps() throws {
        var world = try registered([(.require, "outbound")])
        let call = OutgoingCall(target: try target("sip:bob@example.com"), media: World.media)
        world.perform(.call(caller, call), by: "alice")
        world.run(for: .milliseconds(20))
        #expect(contact(world.last(.invite, at: "carol")) == "sip:alice@192.0.2.1:5060;ob")
    }

    @Test func tellsByWhatItIsReachedBeforeItIsToldAsRegistered() throws {
        let gruu = "sip:alice@example.com;gr=\(Self.instance)"
        var world = try world()
        world.perform(.register(work), by: "alice")
        world.run(for: .milliseconds(20))
        let register = try #require(world.last(.register, at: "carol"))
        try world.reply(
            200, to: register, from: "carol", tag: "r",
            headers: [
                (.require, "outbound"),
                (
                    .contact,
                    #"<sip:alice@192.0.2.1:5060>;+sip.instance="<\#(Self.instance)>";reg-id=1;expires=60;pub-gruu="\#(gruu)""#
                ),
            ])
        let events = world.events["alice"] ?? []
        let told = events.suffix(2)
        guard case .registrationBound(work, let binding)? = told.first,
            case .registration(work, .registered(expires: 60))? = told.last
        else {
            Issue.record("\(events)")
            return
        }
        #expect("\(binding.contact)".hasPrefix("sip:alice@192.0.2.1:5060"))
        #expect(binding.isOutbound && binding.publicGRUU?.description == gruu && binding.temporaryGRUU == nil)
        #expect("\(binding.flow.local) \(binding.flow.remote)" == "192.0.2.1:5060 192.0.2.9:5060")
    }

    // MARK: - Flows

    private func outbound(_ fields: [(HeaderName, String)] = []) throws -> World {
        try registered([(.require, "outbound")] + fields)
    }

    /// Answers the last Binding request: Alice is seen at 192.0.2.1:`port`.
    private func answerBinding(_ world: inout World, port: UInt16 = 5060) throws {
        let probe = try #require(world.keepAlives.last)
        let masked = port ^ 0x2112
        let address: [UInt8] = [0, 1, UInt8(masked >> 8), UInt8(masked & 0xff), 0xe1, 0x12, 0xa6, 0x43]
        let bytes: [UInt8] =
            [1, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42] + Array(probe.bytes.suffix(12)) + [0, 0x20, 0, 8] + address
        world.receive(.received(bytes, over: probe.flow), by: "alice")
    }

    /// Lets the next keep-alive go out.
    private func awaitProbe(_ world: inout World) throws {
        let before = world.keepAlives.count
        for _ in 0..<13_000 where world.keepAlives.count == before { world.run(for: .milliseconds(10)) }
        try #require(world.keepAlives.count == before + 1)
    }

    @Test(.proves(.clause("RFC 5626 §4.4.2")))
    func probesTheFlowByBindingRequests() throws {
        var world = try outbound()
        for _ in 0..<10 {
            try awaitProbe(&world)
            try answerBinding(&world)
        }
        #expect(world.now > .zero + .seconds(240) && world.now < .zero + .seconds(291))
        #expect(registers(world).count == 1)
        #expect(Set(world.keepAlives.map(\.bytes)).count == 10)
    }

    @Test(.proves(.clause("RFC 5626 §4.4")))
    func probesAsOftenAsTheServerWants() throws {
        var world = try outbound([(.flowTimer, "60")])
        try awaitProbe(&world)
        #expect(world.now >= .zero + .seconds(48) && world.now <= .zero + .seconds(61))
    }

    @Test(.proves(.clause("RFC 5626 §4.5"), .clause("RFC 5626 §4.4")))
    func makesANewFlowWhereAProbeIsNotAnsweredForTenSeconds() throws {
        var world = try outbound()
        try awaitProbe(&world)
        try answerBinding(&world)
        try awaitProbe(&world)
        let sent = world.now
        world.run(for: .seconds(16))
        let probes = world.keepAlives.filter { $0.at >= sent - .milliseconds(10) }
        #expect(Set(probes.map(\.bytes)).count == 1)
        #expect(probes.count == 5)
        #expect(registers(world).count == 2)
        #expect(contact(registers(world).last) == contact(registers(world).first))
        #expect(registers(world).last?.headers.first(.contact)?.contains("reg-id=1") == true)
    }

    @Test(.proves(.row(36), .clause("RFC 5626 §4.4.2")))
    func makesANewFlowWhereTheTranslatorGivesAnotherAddress() throws {
        var world = try outbound()
        try awaitProbe(&world)
        try answerBinding(&world)
        try awaitProbe(&world)
        try answerBinding(&world, port: 5061)
        world.run(for: .seconds(5))
        #expect(registers(world).count == 2)
    }

    /// A server that keeps flows and answers no keep-alive is asked at the pace of failures, and then believed.
    @Test func stopsWaitingForAnswersThatNeverCome() throws {
        var world = try outbound()
        for _ in 0..<2 {
            let before = registers(world).count
            world.run(for: .seconds(40))
            #expect(registers(world).count == before)
            for _ in 0..<300 where registers(world).count == before { world.run(for: .seconds(1)) }
            #expect(registers(world).count == before + 1)
            try grant(&world, [(.require, "outbound")])
        }
        let before = registers(world).count
        world.run(for: .seconds(600))
        #expect(registers(world).count == before)
        #expect(world.keepAlives.last?.bytes == Array("\r\n\r\n".utf8))
    }

    /// The registrar grants the last REGISTER over TCP, and says nothing of keeping the connection.
    private func grantOverTCP(_ world: inout World, on connection: ConnectionID) throws {
        let register = try #require(world.last(.register, at: "carol"))
        var response = register.response(200, toTag: "r")
        try response.headers.append(.contact, #"<\#(try #require(contact(register)))>;expires=3600"#)
        let local = try #require(SocketAddress("192.0.2.1:5060"))
        let remote = try #require(SocketAddress("192.0.2.9:5060"))
        let flow = Flow(transport: .tcp, local: local, remote: remote, connection: connection)
        world.receive(.received(response.bytes(), over: flow), by: "alice")
    }

    /// Behind a translator nobody reaches us without it. A server that closes each connection soon is asked ever more
    /// rarely, one that kept it for a while soon again.
    @Test(.proves(.row(36), .clause("RFC 5626 §4.5")))
    func registersAgainWhereTheConnectionOfTheBindingCloses() throws {
        var world = try world(transport: .tcp)
        world.acceptsTCP = [try #require(SocketAddress("192.0.2.9:5060"))]
        world.perform(.register(work), by: "alice")
        world.run(for: .milliseconds(20))
        var waits: [Duration] = []
        for (number, life) in [1, 1, 1, 120].enumerated() {
            let connection = ConnectionID(rawValue: UInt64(100 + number))
            try grantOverTCP(&world, on: connection)
            world.run(for: .seconds(life))
            let (count, closed) = (registers(world).count, world.now)
            world.receive(.connectionClosed(connection), by: "alice")
            #expect(registers(world).count == count, "phones do not all ask in one moment")
            while registers(world).count == count, world.now < closed + .seconds(1900) {
                world.run(for: .milliseconds(500))
            }
            waits.append(world.now - closed)
        }
        #expect(waits[0] < .seconds(5) && waits[3] < .seconds(5))
        #expect(waits[1] >= .seconds(60) && waits[1] < .seconds(125) && waits[2] >= .seconds(120))
        let states = (world.events["alice"] ?? []).filter { event in
            if case .registration(_, .failed) = event { true } else { false }
        }
        #expect(states.isEmpty)
    }

    @Test func endsItsKeepAlivesWithTheRegistration() throws {
        var world = try outbound()
        try awaitProbe(&world)
        world.perform(.unregister(work), by: "alice")
        world.run(for: .milliseconds(20))
        try world.reply(200, to: try #require(world.last(.register, at: "carol")), from: "carol", tag: "r")
        let count = world.keepAlives.count
        world.run(for: .seconds(100))
        #expect(world.keepAlives.count == count)
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    // MARK: - Other places

    @Test(.proves(.row(38)))
    func leavesTheRegisterThatCameFromAnAddressThatIsGone() throws {
        var world = try world()
        world.perform(.register(work), by: "alice")
        world.run(for: .milliseconds(20))
        world.move("alice", to: "198.51.100.4")
        world.receive(.localAddressesChanged, by: "alice")
        world.run(for: .milliseconds(20))
        let last = try #require(registers(world).last)
        #expect(contact(last) == "sip:alice@198.51.100.4:5060")
        #expect(last.vias.first?.host.description == "198.51.100.4")
        try grant(&world)
        #expect(world.story(of: "alice").contains("registration"))
        world.run(for: .seconds(60))
        #expect(registers(world).count == 2)
    }

    @Test(.proves(.row(38)))
    func movesOnlyTheCallsWhoseWayChanged() throws {
        var world = aliceAndBob()
        _ = try world.talk()
        world.receive(.localAddressesChanged, by: "alice")
        world.run(for: .milliseconds(50))
        #expect(world.requests(.invite, from: "alice").count == 1)
        world.move("alice", to: "198.51.100.4")
        world.receive(.localAddressesChanged, by: "alice")
        world.run(for: .milliseconds(50))
        let reinvite = try #require(world.requests(.invite, from: "alice").last)
        #expect(contact(reinvite) == "sip:alice@198.51.100.4:5060")
        #expect(String(decoding: reinvite.body, as: UTF8.self).contains("c=IN IP4 198.51.100.4"))
        #expect(world.requests(.invite, from: "alice").count == 2)
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
    }

    /// An early dialog whose first offer is answered reliably takes another (RFC 3311 §5.1).
    @Test(.proves(.row(38), .clause("RFC 3311 §5.1")))
    func movesAnEarlyCallByUpdate() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(
            183, to: invite, from: "carol", contact: carolContact, body: World.answerText,
            headers: [(.require, "100rel"), (.rSeq, "7"), (.allow, "INVITE, ACK, BYE, CANCEL, PRACK, UPDATE")])
        try world.reply(200, to: try #require(world.last(.prack, at: "carol")), from: "carol")
        world.move("alice", to: "198.51.100.4")
        world.receive(.localAddressesChanged, by: "alice")
        world.run(for: .milliseconds(50))
        let update = try #require(world.last(.update, at: "carol"))
        #expect(contact(update)?.contains("198.51.100.4") == true)
        #expect(String(decoding: update.body, as: UTF8.self).contains("c=IN IP4 198.51.100.4"))
    }

    @Test(.proves(.row(38)))
    func movesARingingCallWhenItIsAnswered() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(180, to: invite, from: "carol", contact: carolContact)
        world.move("alice", to: "198.51.100.4")
        world.receive(.localAddressesChanged, by: "alice")
        world.run(for: .milliseconds(50))
        #expect(world.requests(.invite, from: "alice").count == 1)
        try world.reply(200, to: invite, from: "carol", contact: carolContact, body: World.answerText)
        let reinvite = try #require(world.requests(.invite, from: "alice").last)
        #expect(contact(reinvite)?.contains("198.51.100.4") == true)
        #expect(world.requests(.invite, from: "alice").count == 2)
    }

    /// A call that can't move ends within 32 s.
    @Test(.proves(.row(38)))
    func endsACallThatCanNotMove() throws {
        var world = aliceAndBob()
        _ = try world.talk()
        world.move("alice", to: "198.51.100.4")
        world.loses = { step, _ in step.from == "bob" || step.to == "bob" }
        world.receive(.localAddressesChanged, by: "alice")
        world.run(for: .seconds(32.1))
        #expect(world.ends(at: "alice").map(\.cause) == [.timedOut])
    }

    /// Our clock stood for ten minutes, the registrar's did not.
    @Test(.proves(.row(59)))
    func registersAtOnceAfterASleep() throws {
        var world = try registered()
        world.receive(.resumed(after: .seconds(600)), by: "alice")
        world.run(for: .milliseconds(20))
        #expect(registers(world).count == 2)
    }
}
