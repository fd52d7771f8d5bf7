import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import Testing

@Suite struct ResponseMatchingTests {
    @Test(.proves(.clause("RFC 3261 §17.1.3")))
    func findsItsTransactionByBranchAndMethod() throws {
        var bench = Bench()
        let first = try request("OPTIONS", branch: "z9hG4bKone")
        let second = try request("OPTIONS", branch: "z9hG4bKtwo")
        bench.send(first)
        bench.send(second)
        _ = bench.log()
        bench.receive(second.response(200))
        bench.receive(first.response(404))
        #expect(bench.log() == ["0 ! response 200 c2", "0 ! response 404 c1"])
    }

    @Test(.proves(.row(18), .clause("RFC 3261 §17.1.3")))
    func anotherCSeqMethodIsAStray() throws {
        var bench = Bench()
        let invite = try request("INVITE")
        bench.send(invite)
        var response = invite.response(200)
        response.cSeq.method = .bye
        bench.receive(response)
        #expect(bench.log() == ["0 > INVITE", "0 ! stray 200"])
    }

    @Test(.proves(.row(18), .clause("RFC 3261 §17.1.3")))
    func anotherBranchIsAStray() throws {
        var bench = Bench()
        bench.send(try request("INVITE"))
        bench.receive(try request("INVITE", branch: "z9hG4bKother").response(200))
        bench.receive(try request("INVITE", via: "SIP/2.0/UDP 192.0.2.2").response(200))
        #expect(bench.log() == ["0 > INVITE", "0 ! stray 200", "0 ! stray 200"])
    }

    @Test(.proves(.row(18), .clause("RFC 3261 §18.1.2")))
    func anotherSentByIsDiscarded() throws {
        var bench = Bench()
        bench.send(try request("INVITE"))
        bench.receive(try request("INVITE", via: "SIP/2.0/UDP 192.0.2.99;branch=z9hG4bKone").response(200))
        #expect(bench.log() == ["0 > INVITE"])
        #expect(bench.layer.counts.mismatchedResponses == 1)
    }

    @Test(.proves(.row(18), .clause("RFC 3261 §17.1.3")))
    func anotherCSeqNumberIsDiscarded() throws {
        var bench = Bench()
        bench.send(try request("OPTIONS"))
        var response = try request("OPTIONS").response(200)
        response.cSeq.number += 1
        bench.receive(response)
        #expect(bench.log() == ["0 > OPTIONS"])
        #expect(bench.layer.counts.mismatchedResponses == 1)
    }

    @Test(.proves(.clause("RFC 3261 §17.1.3")))
    func aResponseMayComeOverAnotherFlow() throws {
        var bench = Bench()
        let options = try request("OPTIONS")
        bench.send(options)
        var other = bench.flow
        other.remote.port = 5099
        bench.receive(options.response(200), over: other)
        #expect(bench.log() == ["0 > OPTIONS", "0 ! response 200 c1"])
    }
}

@Suite struct RequestMatchingTests {
    @Test(.proves(.clause("RFC 3261 §17.2.3")))
    func sentByIsPartOfTheName() throws {
        var bench = Bench()
        bench.receive(try request("OPTIONS", via: "SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bKone"))
        bench.receive(try request("OPTIONS", via: "SIP/2.0/UDP 192.0.2.2:5071;branch=z9hG4bKone"))
        bench.receive(try request("OPTIONS", via: "SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bKone"))
        #expect(bench.log() == ["0 ! request OPTIONS s1", "0 ! request OPTIONS s2"])
        #expect(bench.layer.counts.absorbed == 1)
    }

    @Test(.proves(.clause("RFC 3261 §17.2.3")))
    func methodIsPartOfTheName() throws {
        var bench = Bench()
        bench.receive(try request("OPTIONS"))
        bench.receive(try request("INFO"))
        #expect(bench.log() == ["0 ! request OPTIONS s1", "0 ! request INFO s2"])
    }

    @Test(.proves(.row(15), .clause("RFC 3261 §17.2.3")))
    func acknowledgementWithAnotherBranchLeavesARefusalAlone() throws {
        var bench = Bench()
        let invite = try request("INVITE")
        bench.receive(invite)
        bench.respond(invite.response(486, toTag: "bob"), in: firstServer)
        bench.receive(try request("ACK", branch: "z9hG4bKother", toTag: "bob"))
        bench.run(to: 500)
        #expect(bench.log() == ["0 ! request INVITE s1", "0 > 486", "0 ! acknowledgement", "500 > 486"])
    }

    @Test(.proves(.clause("RFC 3261 §17.2.3")))
    func acknowledgementOfNothingIsForTheUser() throws {
        var bench = Bench()
        bench.receive(try request("ACK", toTag: "bob"))
        #expect(bench.log() == ["0 ! acknowledgement"])
        #expect(bench.layer.counts.isQuiescent)
    }

    @Test(.proves(.row(4), .clause("RFC 3261 §9.2")))
    func cancelFindsItsInviteAndIsATransactionOfItsOwn() throws {
        var bench = Bench()
        let invite = try request("INVITE")
        let cancel = try request("CANCEL")
        bench.receive(invite)
        bench.receive(cancel)
        bench.respond(cancel.response(200, toTag: "bob"), in: ServerTransactionID(rawValue: 2))
        bench.respond(invite.response(487, toTag: "bob"), in: firstServer)
        bench.run(to: 100)
        bench.receive(cancel)
        #expect(
            bench.log() == [
                "0 ! request INVITE s1", "0 ! cancelled s1 by s2", "0 > 200", "0 > 487", "100 > 200",
            ])
    }

    @Test(.proves(.row(4), .clause("RFC 3261 §9.2")))
    func cancelFindsItsInviteAlsoAfterTheFinalResponse() throws {
        var bench = Bench()
        let invite = try request("INVITE")
        bench.receive(invite)
        bench.respond(invite.response(200, toTag: "bob"), in: firstServer)
        bench.receive(try request("CANCEL"))
        #expect(bench.log() == ["0 ! request INVITE s1", "0 > 200", "0 ! cancelled s1 by s2"])
    }

    @Test(.proves(.row(4), .clause("RFC 3261 §9.2")))
    func cancelOfNothingIsARequest() throws {
        var bench = Bench()
        bench.receive(try request("INVITE"))
        bench.receive(try request("CANCEL", branch: "z9hG4bKother"))
        #expect(bench.log() == ["0 ! request INVITE s1", "0 ! request CANCEL s2"])
    }

    @Test(.proves(.row(12), .clause("RFC 3261 §8.2.2.2")))
    func sameRequestByAnotherPathIsMerged() throws {
        var bench = Bench()
        bench.receive(try request("OPTIONS", branch: "z9hG4bKone"))
        bench.receive(try request("OPTIONS", branch: "z9hG4bKtwo"))
        bench.receive(try request("OPTIONS", branch: "z9hG4bKthree", cSeq: 2))
        bench.receive(try request("OPTIONS", branch: "z9hG4bKfour", toTag: "bob"))
        #expect(
            (1...4).map { bench.layer.isMerged(ServerTransactionID(rawValue: $0)) } == [false, true, false, false])
        bench.run(to: 32_000)
        #expect(bench.layer.counts.isQuiescent)
        bench.receive(try request("OPTIONS", branch: "z9hG4bKfive"))
        #expect(!bench.layer.isMerged(ServerTransactionID(rawValue: 5)))
    }
}

/// Peers whose branches lack the magic cookie, RFC 3261 §17.2.3 second half.
@Suite struct OldPeerMatchingTests {
    static let vias = [
        "SIP/2.0/UDP 192.0.2.2", "SIP/2.0/UDP 192.0.2.2;branch=1", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK",
    ]

    @Test(.proves(.incident(1), .clause("RFC 3261 §17.2.3")), arguments: vias)
    func recognisesARepetitionByItsHeaders(via: String) throws {
        var bench = Bench()
        bench.receive(try request("OPTIONS", via: via))
        bench.receive(try request("OPTIONS", via: via))
        bench.receive(try request("OPTIONS", via: via, cSeq: 2))
        bench.receive(try request("OPTIONS", via: via, toTag: "bob"))
        bench.receive(try request("INFO", via: via))
        #expect(
            bench.log() == [
                "0 ! request OPTIONS s1", "0 ! request OPTIONS s2", "0 ! request OPTIONS s3", "0 ! request INFO s4",
            ])
    }

    @Test(.proves(.incident(1), .clause("RFC 3261 §17.2.3")), arguments: vias)
    func acknowledgementMatchesByTheTagOfTheResponse(via: String) throws {
        var bench = Bench()
        let invite = try request("INVITE", via: via)
        bench.receive(invite)
        bench.respond(invite.response(486, toTag: "bob"), in: firstServer)
        bench.receive(try request("ACK", via: via, toTag: "carol"))
        bench.receive(try request("ACK", via: via, toTag: "bob"))
        bench.receive(try request("ACK", via: via, toTag: "bob"))
        bench.run(to: 60_000)
        #expect(
            bench.log() == ["0 ! request INVITE s1", "0 > 486", "0 ! acknowledgement", "5000 ! terminated s1"])
        #expect(bench.layer.counts.isQuiescent)
        bench.receive(try request("ACK", via: via, toTag: "bob"))
        #expect(bench.log() == ["60000 ! acknowledgement"])
    }

    @Test(.proves(.incident(1), .clause("RFC 3261 §17.2.3")), arguments: vias)
    func cancelFindsItsInvite(via: String) throws {
        var bench = Bench()
        bench.receive(try request("INVITE", via: via))
        bench.receive(try request("CANCEL", via: via))
        #expect(bench.log() == ["0 ! request INVITE s1", "0 ! cancelled s1 by s2"])
    }

    @Test(.proves(.clause("RFC 3261 §17.2.3")))
    func theCookieIsReadWithoutCase() throws {
        var bench = Bench()
        bench.receive(try request("OPTIONS", branch: "Z9HG4BKone"))
        bench.receive(try request("OPTIONS", branch: "Z9HG4BKone", cSeq: 2))
        #expect(bench.log() == ["0 ! request OPTIONS s1"])
    }
}
