import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import Testing

@Suite struct InviteClientTransactionTests {
    @Test(.proves(.row(17), .clause("RFC 3261 §17.1.1.2")))
    func retransmitsAtDoublingIntervalsThenTimesOut() throws {
        var bench = Bench()
        bench.send(try request("INVITE"))
        bench.run(to: 100_000)
        #expect(
            bench.log() == [
                "0 > INVITE", "500 > INVITE", "1500 > INVITE", "3500 > INVITE", "7500 > INVITE", "15500 > INVITE",
                "31500 > INVITE", "32000 ! timed out c1", "32000 ! terminated c1",
            ])
        #expect(Set(bench.sent.map(\.bytes)).count == 1)
        #expect(bench.sent.allSatisfy { $0.flow == bench.flow && $0.cause == .client(firstClient) })
        #expect(bench.layer.counts.isQuiescent)
    }

    @Test(.proves(.row(17), .clause("RFC 3261 §17.1.1.2")))
    func sendsOnceOverReliableTransportThenTimesOut() throws {
        var bench = Bench(.tcp)
        bench.send(try request("INVITE", transport: "TCP"))
        bench.run(to: 100_000)
        #expect(bench.log() == ["0 > INVITE", "32000 ! timed out c1", "32000 ! terminated c1"])
    }

    @Test(.proves(.row(17), .clause("RFC 3261 §17.1.1.2")))
    func scalesWithTheRoundTripTime() throws {
        var bench = Bench(timers: TransactionTimers(t1: .milliseconds(100)))
        bench.send(try request("INVITE"))
        bench.run(to: 100_000)
        #expect(
            bench.log() == [
                "0 > INVITE", "100 > INVITE", "300 > INVITE", "700 > INVITE", "1500 > INVITE", "3100 > INVITE",
                "6300 > INVITE", "6400 ! timed out c1", "6400 ! terminated c1",
            ])
    }

    @Test(.proves(.clause("RFC 3261 §17.1.1.2")))
    func fallsSilentAfterAProvisionalResponseAndPassesEachOn() throws {
        var bench = Bench()
        let invite = try request("INVITE")
        bench.send(invite)
        bench.run(to: 700)
        bench.receive(invite.response(100))
        bench.run(to: 90_000)
        bench.receive(invite.response(180, toTag: "bob"))
        bench.receive(invite.response(180, toTag: "bob"))
        bench.run(to: 200_000)
        #expect(
            bench.log() == [
                "0 > INVITE", "500 > INVITE", "700 ! response 100 c1", "90000 ! response 180 c1",
                "90000 ! response 180 c1",
            ])
        #expect(bench.layer.deadline == nil)
    }

    @Test(.proves(.clause("RFC 3261 §17.1.1.2")), arguments: [false, true])
    func whereNobodyWaitsForTheAnswerItHas64TimesT1FromThenOn(isAnsweredBefore: Bool) throws {
        var bench = Bench()
        let invite = try request("INVITE")
        bench.send(invite)
        if isAnsweredBefore { bench.receive(invite.response(100)) }
        bench.layer.stopWaiting(for: firstClient, at: bench.now)
        if !isAnsweredBefore { bench.receive(invite.response(100)) }
        bench.run(to: 31_999)
        #expect(!bench.layer.counts.isQuiescent)
        bench.run(to: 32_000)
        #expect(bench.log().suffix(2) == ["32000 ! timed out c1", "32000 ! terminated c1"])
        #expect(bench.layer.counts.isQuiescent)
    }

    @Test(.proves(.row(16), .clause("RFC 3261 §17.1.1.2")), arguments: [false, true])
    func acknowledgesARefusalAndEachRepetitionOfIt(ringsFirst: Bool) throws {
        var bench = Bench()
        let invite = try request("INVITE")
        bench.send(invite)
        if ringsFirst { bench.receive(invite.response(180, toTag: "bob")) }
        _ = bench.log()
        bench.receive(invite.response(486, toTag: "bob"))
        bench.run(to: 500)
        bench.receive(invite.response(486, toTag: "bob"))
        bench.receive(invite.response(180, toTag: "bob"))
        bench.run(to: 31_999)
        bench.receive(invite.response(486, toTag: "bob"))
        bench.run(to: 40_000)
        bench.receive(invite.response(486, toTag: "bob"))
        #expect(
            bench.log() == [
                "0 > ACK", "0 ! response 486 c1", "500 > ACK", "31999 > ACK", "32000 ! terminated c1",
                "40000 ! stray 486",
            ])
        #expect(Set(bench.sent.dropFirst().map(\.bytes)).count == 1)
        #expect(bench.layer.counts.isQuiescent)
    }

    @Test(.proves(.row(16), .clause("RFC 3261 §17.1.1.2")))
    func completesAtOnceOverReliableTransport() throws {
        var bench = Bench(.tcp)
        let invite = try request("INVITE", transport: "TCP")
        bench.send(invite)
        bench.receive(invite.response(603, toTag: "bob"))
        #expect(bench.log() == ["0 > INVITE", "0 > ACK", "0 ! response 603 c1", "0 ! terminated c1"])
        #expect(bench.layer.counts.isQuiescent)
    }

    @Test(.proves(.row(16), .clause("RFC 3261 §17.1.1.2")))
    func waitsAtLeast32SecondsForRepeatedRefusalsWhateverOurRoundTripTime() throws {
        var bench = Bench(timers: TransactionTimers(t1: .milliseconds(10)))
        let invite = try request("INVITE")
        bench.send(invite)
        bench.receive(invite.response(486))
        bench.run(to: 100_000)
        #expect(bench.log().last == "32000 ! terminated c1")
    }

    @Test(.proves(.row(16), .clause("RFC 3261 §17.1.1.3")))
    func buildsTheAcknowledgementFromTheInviteAndTheResponse() throws {
        var bench = Bench()
        let extra = ["Route: <sip:p1.example;lr>, <sip:p2.example;lr>", "Contact: <sip:alice@192.0.2.2>", "Subject: x"]
        let invite = try request("INVITE", cSeq: 7, extra: extra)
        bench.send(invite)
        bench.receive(invite.response(404, toTag: "bob"))
        let message = try MessageParser.parse(try #require(bench.sent.last).bytes)
        guard case .request(let acknowledgement) = message else { return #expect(Bool(false), "not a request") }
        #expect(acknowledgement.method == .ack)
        #expect(acknowledgement.uri == invite.uri)
        #expect(acknowledgement.vias == invite.vias)
        #expect(acknowledgement.from == invite.from)
        #expect(acknowledgement.to.tag == "bob")
        #expect(acknowledgement.callID == invite.callID)
        #expect(acknowledgement.cSeq == CSeq(number: 7, method: .ack))
        #expect(acknowledgement.headers.values(.route) == invite.headers.values(.route))
        #expect(!acknowledgement.headers.contains(.contact) && !acknowledgement.headers.contains(.subject))
        #expect(acknowledgement.body.isEmpty)
    }

    @Test(.proves(.row(13), .clause("RFC 6026 §7.2"), .clause("RFC 6026 §8.4")), arguments: [Transport.udp, .tcp])
    func passesEveryAcceptanceOnFor64T1AndAcknowledgesNone(transport: Transport) throws {
        var bench = Bench(transport)
        let invite = try request("INVITE", transport: transport.name)
        bench.send(invite)
        bench.receive(invite.response(200, toTag: "bob"))
        bench.run(to: 500)
        bench.receive(invite.response(200, toTag: "bob"))
        bench.receive(invite.response(200, toTag: "carol"))
        bench.receive(invite.response(180, toTag: "dave"))
        bench.receive(invite.response(486, toTag: "dave"))
        bench.run(to: 32_500)
        bench.receive(invite.response(200, toTag: "bob"))
        #expect(
            bench.log() == [
                "0 > INVITE", "0 ! response 200 c1", "500 ! response 200 c1", "500 ! response 200 c1",
                "32000 ! terminated c1", "32500 ! stray 200",
            ])
        #expect(bench.layer.counts.isQuiescent)
    }

    @Test(.proves(.row(10), .clause("RFC 6026 §7.2")))
    func acceptanceAfterARefusalIsAStray() throws {
        var bench = Bench()
        let invite = try request("INVITE")
        bench.send(invite)
        bench.receive(invite.response(486, toTag: "bob"))
        bench.receive(invite.response(200, toTag: "carol"))
        #expect(bench.log() == ["0 > INVITE", "0 > ACK", "0 ! response 486 c1", "0 ! stray 200"])
    }

    @Test(.proves(.row(44), .clause("RFC 3261 §17.1.4"), .clause("RFC 6026 §7.2")))
    func tellsOfTransportFailureWhileItWaitsAndNotWhenAccepted() throws {
        var bench = Bench()
        let invite = try request("INVITE")
        let id = bench.send(invite)
        bench.perform { $0.transportFailed(.client(id), at: $1) }
        #expect(bench.log() == ["0 > INVITE", "0 ! transport failed c1", "0 ! terminated c1"])

        let again = bench.send(invite)
        bench.receive(invite.response(486))
        _ = bench.log()
        bench.perform { $0.transportFailed(.client(again), at: $1) }
        #expect(bench.log() == ["0 ! transport failed c2", "0 ! terminated c2"])

        let accepted = bench.send(invite)
        bench.receive(invite.response(200))
        _ = bench.log()
        bench.perform { $0.transportFailed(.client(accepted), at: $1) }
        #expect(bench.log() == [])
    }

    @Test(.proves(.row(59)))
    func sendsOneRetransmissionAfterASleepAndNotAllThatWereMissed() throws {
        var bench = Bench()
        bench.send(try request("INVITE"))
        bench.sleep(to: 20_000)
        #expect(bench.log() == ["0 > INVITE", "20000 > INVITE"])
        bench.sleep(to: 600_000)
        #expect(bench.log() == ["600000 ! timed out c1", "600000 ! terminated c1"])
    }
}
