import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import Testing

@Suite struct TransactionLayerTests {
    @Test(.proves(.rule(14)))
    func refusesRequestsBeyondItsLimitAndAcceptsAgainLater() throws {
        var bench = Bench(limits: .init(server: 2, client: 1))
        bench.receive(try request("OPTIONS", branch: "z9hG4bK1"))
        bench.receive(try request("OPTIONS", branch: "z9hG4bK2"))
        #expect(bench.layer.serverRoom == 0)
        bench.receive(try request("OPTIONS", branch: "z9hG4bK3"))
        bench.receive(try request("OPTIONS", branch: "z9hG4bK1"))
        #expect(bench.log() == ["0 ! request OPTIONS s1", "0 ! request OPTIONS s2"])
        #expect(bench.layer.counts.refusedRequests == 1)
        bench.run(to: 32_000)
        _ = bench.log()
        bench.receive(try request("OPTIONS", branch: "z9hG4bK3"))
        #expect(bench.log() == ["32000 ! request OPTIONS s3"])
    }

    @Test(.proves(.rule(14)))
    func refusesToSendBeyondItsLimitUnderABranchInUseAndWithoutBranch() throws {
        var bench = Bench(limits: .init(server: 1, client: 2))
        bench.send(try request("OPTIONS", branch: "z9hG4bK1"))
        bench.send(try request("OPTIONS", branch: "z9hG4bK1"))
        bench.send(try request("OPTIONS", via: "SIP/2.0/UDP 192.0.2.2"))
        bench.send(try request("ACK", branch: "z9hG4bK2"))
        bench.send(try request("OPTIONS", branch: "z9hG4bK2"))
        bench.send(try request("OPTIONS", branch: "z9hG4bK3"))
        #expect(
            bench.log() == [
                "0 > OPTIONS", "0 ! transport failed c2", "0 ! terminated c2", "0 ! transport failed c3",
                "0 ! terminated c3", "0 ! transport failed c4", "0 ! terminated c4", "0 > OPTIONS",
                "0 ! transport failed c6", "0 ! terminated c6",
            ])
        #expect(bench.layer.counts.refusedSends == 4)
        #expect(bench.layer.counts.clientTransactions == 2)
    }

    /// 128 accounts that register with credentials have 256 answered transactions when they leave.
    @Test(.proves(.rule(14)))
    func whatIsAnsweredMakesRoomForWhatIsNot() throws {
        var bench = Bench(limits: .init(server: 1, client: 2))
        let requests = try (1...4).map { try request("OPTIONS", branch: "z9hG4bK\($0)") }
        for request in requests[..<2] { bench.send(request) }
        bench.receive(requests[1].response(200))
        bench.send(requests[2])
        // One waits for its answer still, and is not touched.
        bench.send(requests[3])
        #expect(
            bench.log() == [
                "0 > OPTIONS", "0 > OPTIONS", "0 ! response 200 c2", "0 ! terminated c2", "0 > OPTIONS",
                "0 ! transport failed c4", "0 ! terminated c4",
            ])
        #expect(bench.layer.counts.clientTransactions == 2)
        bench.receive(requests[2].response(200))
        bench.receive(requests[0].response(200))
        #expect(bench.log() == ["0 ! response 200 c3", "0 ! response 200 c1"])
        for request in [requests[3], requests[1]] { bench.send(request) }
        #expect(bench.log() == ["0 ! terminated c3", "0 > OPTIONS", "0 ! terminated c1", "0 > OPTIONS"])
        bench.run(to: 60_000)
        #expect(bench.layer.counts.isQuiescent)
    }

    @Test(.proves(.row(1), .row(3), .clause("RFC 3261 §9.1")))
    func cancelsOnlyAfterAProvisionalResponseAndThenWaits64T1() throws {
        var bench = Bench()
        let invite = try request("INVITE", extra: ["Route: <sip:p1.example;lr>"])
        let id = bench.send(invite)
        let early = bench.cancel(id)
        #expect(early == nil)
        bench.run(to: 100)
        bench.receive(invite.response(180, toTag: "bob"))
        let sent = bench.cancel(id)
        #expect(sent != nil)
        let message = try MessageParser.parse(try #require(bench.sent.last).bytes)
        guard case .request(let cancel) = message else { return #expect(Bool(false), "not a request") }
        #expect(cancel.method == .cancel && cancel.cSeq == CSeq(number: 1, method: .cancel))
        #expect(cancel.uri == invite.uri && cancel.vias == invite.vias && cancel.to == invite.to)
        #expect(cancel.from == invite.from && cancel.callID == invite.callID)
        #expect(cancel.headers.values(.route) == invite.headers.values(.route))
        bench.receive(cancel.response(200))
        bench.run(to: 60_000)
        #expect(
            bench.log() == [
                "0 > INVITE", "100 ! response 180 c1", "100 > CANCEL", "100 ! response 200 c2",
                "5100 ! terminated c2", "32100 ! timed out c1", "32100 ! terminated c1",
            ])
        #expect(bench.layer.counts.isQuiescent)
    }

    @Test func aCancelledInviteTakesItsFinalResponse() throws {
        var bench = Bench()
        let invite = try request("INVITE")
        let id = bench.send(invite)
        bench.receive(invite.response(180, toTag: "bob"))
        bench.cancel(id)
        bench.run(to: 1_000)
        _ = bench.log()
        bench.receive(invite.response(487, toTag: "bob"))
        let late = bench.cancel(id)
        #expect(late == nil)
        #expect(bench.log() == ["1000 > ACK", "1000 ! response 487 c1"])
    }

    @Test func ignoresNamesThatItDoesNotKnow() throws {
        var bench = Bench()
        bench.respond(try request("OPTIONS").response(200), in: ServerTransactionID(rawValue: 9))
        bench.perform { $0.transportFailed(.client(ClientTransactionID(rawValue: 9)), at: $1) }
        bench.perform { $0.transportFailed(.server(ServerTransactionID(rawValue: 9)), at: $1) }
        let cancel = bench.cancel(ClientTransactionID(rawValue: 9))
        #expect(cancel == nil)
        #expect(bench.log() == [])
    }
}

@Suite struct ResponseRouteTests {
    private func route(_ via: String, over transport: Transport = .udp) throws -> ResponseRoute {
        let request = try request("OPTIONS", via: via)
        let flow = Flow(
            transport: transport, local: Bench.us, remote: SocketAddress(.v4(0xcb00_7107), port: 40_000),
            connection: transport.isReliable ? ConnectionID(rawValue: 3) : nil)
        return ResponseRoute(of: try #require(request.vias.first), over: flow)
    }

    @Test(
        .proves(.row(35), .clause("RFC 3261 §18.2.2"), .clause("RFC 3581 §4")),
        arguments: [
            ("SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1", "203.0.113.7:5060"),
            ("SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bK1;received=203.0.113.7", "203.0.113.7:5070"),
            ("SIP/2.0/UDP pc.example.com:5070;branch=z9hG4bK1;rport=40000;received=203.0.113.7", "203.0.113.7:40000"),
            ("SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bK1;maddr=198.51.100.9", "203.0.113.7:5070"),
            ("SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bK1;maddr=224.2.0.1;rport=40000", "203.0.113.7:40000"),
        ])
    func overUDPFollowsReceivedAndRportAndNoMaddr(via: String, target: String) throws {
        let route = try route(via)
        #expect(route.flow.remote.description == target)
        #expect(route.flow.local == Bench.us)
        #expect(route.fallback == nil)
    }

    @Test(.proves(.row(35), .clause("RFC 3261 §18.2.2")))
    func overAConnectionStaysOnItAndKnowsWhereToConnectAgain() throws {
        let route = try route("SIP/2.0/TCP 192.0.2.2:5070;branch=z9hG4bK1", over: .tcp)
        #expect(route.flow.remote.description == "203.0.113.7:40000")
        #expect(route.flow.connection == ConnectionID(rawValue: 3))
        #expect(route.fallback?.description == "203.0.113.7:5070")
        let standard = try self.route("SIP/2.0/TLS 192.0.2.2;branch=z9hG4bK1", over: .tls)
        #expect(standard.fallback?.description == "203.0.113.7:5061")
    }

    @Test func responsesOfATransactionTakeItsRoute() throws {
        var bench = Bench(.tcp)
        let options = try request("OPTIONS", via: "SIP/2.0/TCP 192.0.2.2:5070;branch=z9hG4bK1")
        bench.receive(options)
        bench.respond(options.response(200), in: firstServer)
        let transmit = try #require(bench.sent.last)
        #expect(transmit.flow == bench.flow)
        #expect(transmit.fallback?.description == "192.0.2.2:5070")
        #expect(transmit.cause == .server(firstServer))
    }
}

extension Request {
    func with(branch: String) -> Request {
        var copy = self
        copy.vias[0].branch = branch
        return copy
    }
}
