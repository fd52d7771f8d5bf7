import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import Testing

@Suite struct InviteServerTransactionTests {
    @Test(.proves(.clause("RFC 3261 §17.2.1")))
    func sends100WhenItsUserIsSilentFor200Milliseconds() throws {
        var bench = Bench()
        bench.receive(try request("INVITE"))
        bench.run(to: 100_000)
        #expect(bench.log() == ["0 ! request INVITE s1", "200 > 100"])
        let trying = try MessageParser.parse(try #require(bench.sent.last).bytes)
        #expect(trying.to.tag == nil)
    }

    @Test(.proves(.clause("RFC 3261 §17.2.1")))
    func sends100EarlyWhenTheInviteComesAgain() throws {
        var bench = Bench()
        bench.receive(try request("INVITE"))
        bench.run(to: 50)
        bench.receive(try request("INVITE"))
        bench.run(to: 10_000)
        #expect(bench.log() == ["0 ! request INVITE s1", "50 > 100"])
    }

    @Test(.proves(.clause("RFC 3261 §17.2.1")))
    func repeatsTheLastProvisionalResponse() throws {
        var bench = Bench()
        let invite = try request("INVITE")
        bench.receive(invite)
        bench.respond(invite.response(180, toTag: "bob"), in: firstServer)
        bench.run(to: 500)
        bench.receive(invite)
        bench.respond(invite.response(183, toTag: "bob"), in: firstServer)
        bench.receive(invite)
        bench.run(to: 90_000)
        #expect(bench.log() == ["0 ! request INVITE s1", "0 > 180", "500 > 180", "500 > 183", "500 > 183"])
    }

    @Test(.proves(.row(16), .clause("RFC 3261 §17.2.1")))
    func retransmitsARefusalUpToT2ThenReportsTheMissingAcknowledgement() throws {
        var bench = Bench()
        let invite = try request("INVITE")
        bench.receive(invite)
        bench.respond(invite.response(486, toTag: "bob"), in: firstServer)
        bench.run(to: 100_000)
        #expect(
            bench.log() == [
                "0 ! request INVITE s1", "0 > 486", "500 > 486", "1500 > 486", "3500 > 486", "7500 > 486",
                "11500 > 486", "15500 > 486", "19500 > 486", "23500 > 486", "27500 > 486", "31500 > 486",
                "32000 ! unacknowledged s1", "32000 ! terminated s1",
            ])
        #expect(bench.layer.counts.isQuiescent)
    }

    @Test(.proves(.row(16), .clause("RFC 3261 §17.2.1")))
    func repeatsARefusalWhenTheInviteComesAgain() throws {
        var bench = Bench()
        let invite = try request("INVITE")
        bench.receive(invite)
        bench.respond(invite.response(486, toTag: "bob"), in: firstServer)
        bench.run(to: 400)
        bench.receive(invite)
        bench.respond(invite.response(200, toTag: "bob"), in: firstServer)
        #expect(bench.log() == ["0 ! request INVITE s1", "0 > 486", "400 > 486"])
    }

    @Test(.proves(.row(16), .clause("RFC 3261 §17.2.1")))
    func fallsSilentOnAcknowledgementAndAbsorbsMoreForT4() throws {
        var bench = Bench()
        let invite = try request("INVITE")
        bench.receive(invite)
        bench.respond(invite.response(486, toTag: "bob"), in: firstServer)
        bench.run(to: 100)
        bench.receive(try request("ACK", toTag: "bob"))
        bench.run(to: 1_000)
        bench.receive(try request("ACK", toTag: "bob"))
        bench.receive(invite)
        bench.run(to: 5_099)
        bench.receive(try request("ACK", toTag: "bob"))
        #expect(bench.log() == ["0 ! request INVITE s1", "0 > 486"])
        bench.run(to: 90_000)
        #expect(bench.log() == ["5100 ! terminated s1"])
        #expect(bench.layer.counts.isQuiescent)
    }

    @Test(.proves(.row(16), .clause("RFC 3261 §17.2.1")))
    func sendsARefusalOnceOverReliableTransportAndEndsWithItsAcknowledgement() throws {
        var bench = Bench(.tcp)
        let invite = try request("INVITE", transport: "TCP")
        bench.receive(invite)
        bench.respond(invite.response(486, toTag: "bob"), in: firstServer)
        bench.run(to: 20_000)
        bench.receive(try request("ACK", transport: "TCP", toTag: "bob"))
        #expect(bench.log() == ["0 ! request INVITE s1", "0 > 486", "20000 ! terminated s1"])
        #expect(bench.layer.counts.isQuiescent)
    }

    @Test(.proves(.row(16), .clause("RFC 3261 §17.2.1")))
    func waitsForTheAcknowledgementAlsoOverReliableTransport() throws {
        var bench = Bench(.tcp)
        let invite = try request("INVITE", transport: "TCP")
        bench.receive(invite)
        bench.respond(invite.response(486, toTag: "bob"), in: firstServer)
        bench.run(to: 100_000)
        #expect(
            bench.log() == [
                "0 ! request INVITE s1", "0 > 486", "32000 ! unacknowledged s1", "32000 ! terminated s1",
            ])
    }

    @Test(.proves(.row(13), .clause("RFC 6026 §7.1"), .clause("RFC 6026 §8.3")), arguments: [Transport.udp, .tcp])
    func absorbsTheInviteAndPassesAcknowledgementsOnOnceAccepted(transport: Transport) throws {
        var bench = Bench(transport)
        let invite = try request("INVITE", transport: transport.name)
        bench.receive(invite)
        bench.respond(invite.response(200, toTag: "bob"), in: firstServer)
        bench.run(to: 500)
        bench.receive(invite)
        bench.respond(invite.response(200, toTag: "bob"), in: firstServer)
        bench.respond(invite.response(180, toTag: "bob"), in: firstServer)
        bench.respond(invite.response(486, toTag: "bob"), in: firstServer)
        let isRepeated = bench.accept(again: firstServer)
        #expect(isRepeated)
        bench.receive(try request("ACK", transport: transport.name, toTag: "bob"))
        bench.receive(try request("ACK", branch: "z9hG4bKtwo", transport: transport.name, toTag: "bob"))
        bench.run(to: 31_999)
        bench.receive(invite)
        bench.run(to: 40_000)
        let isRepeatedLate = bench.accept(again: firstServer)
        #expect(!isRepeatedLate)
        #expect(
            bench.log() == [
                "0 ! request INVITE s1", "0 > 200", "500 > 200", "500 > 200", "500 ! acknowledgement",
                "500 ! acknowledgement", "32000 ! terminated s1",
            ])
        #expect(bench.layer.counts.isQuiescent)
    }

    @Test(.proves(.clause("RFC 3261 §17.2.4"), .clause("RFC 6026 §7.1")))
    func staysOnTransportFailureSoThatTheInviteIsNotTakenForANewOne() throws {
        var bench = Bench()
        let invite = try request("INVITE")
        bench.receive(invite)
        bench.respond(invite.response(200, toTag: "bob"), in: firstServer)
        bench.perform { $0.transportFailed(.server(firstServer), at: $1) }
        bench.receive(invite)
        #expect(bench.log() == ["0 ! request INVITE s1", "0 > 200", "0 ! transport failed s1"])
    }

    @Test(.proves(.row(15), .clause("RFC 3261 §17.2.1")))
    func dropsAcknowledgementBeforeAnyFinalResponse() throws {
        var bench = Bench()
        let invite = try request("INVITE")
        bench.receive(invite)
        bench.receive(try request("ACK"))
        bench.respond(invite.response(200, toTag: "bob"), in: firstServer)
        #expect(bench.log() == ["0 ! request INVITE s1", "0 > 200"])
    }
}
