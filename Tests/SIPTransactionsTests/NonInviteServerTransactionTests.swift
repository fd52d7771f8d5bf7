import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import Testing

@Suite struct NonInviteServerTransactionTests {
    @Test(.proves(.clause("RFC 3261 §17.2.2")))
    func discardsRepetitionsUntilItsUserResponds() throws {
        var bench = Bench()
        let options = try request("OPTIONS")
        bench.receive(options)
        bench.run(to: 500)
        bench.receive(options)
        #expect(bench.log() == ["0 ! request OPTIONS s1"])
    }

    @Test(.proves(.row(17), .clause("RFC 3261 §17.2.2")))
    func repeatsTheLastResponseUntil64T1AfterTheFinalOne() throws {
        var bench = Bench()
        let options = try request("OPTIONS")
        bench.receive(options)
        bench.respond(options.response(100), in: firstServer)
        bench.run(to: 500)
        bench.receive(options)
        bench.run(to: 1_000)
        bench.respond(options.response(200, toTag: "bob"), in: firstServer)
        bench.receive(options)
        bench.respond(options.response(486, toTag: "bob"), in: firstServer)
        bench.run(to: 32_999)
        bench.receive(options)
        bench.run(to: 33_001)
        #expect(
            bench.log() == [
                "0 ! request OPTIONS s1", "0 > 100", "500 > 100", "1000 > 200", "1000 > 200", "32999 > 200",
                "33000 ! terminated s1",
            ])
        #expect(bench.layer.counts.isQuiescent)
        bench.receive(options)
        #expect(bench.log() == ["33001 ! request OPTIONS s2"])
    }

    @Test(.proves(.row(17), .clause("RFC 3261 §17.2.2")))
    func endsWithItsFinalResponseOverReliableTransport() throws {
        var bench = Bench(.tcp)
        let options = try request("OPTIONS", transport: "TCP")
        bench.receive(options)
        bench.respond(options.response(200), in: firstServer)
        #expect(bench.log() == ["0 ! request OPTIONS s1", "0 > 200", "0 ! terminated s1"])
        #expect(bench.layer.counts.isQuiescent)
    }

    @Test(.proves(.clause("RFC 3261 §17.2.2")))
    func endsWhenItsUserNeverResponds() throws {
        var bench = Bench()
        let options = try request("OPTIONS")
        bench.receive(options)
        bench.run(to: 40_000)
        bench.respond(options.response(200), in: firstServer)
        #expect(bench.log() == ["0 ! request OPTIONS s1", "32000 ! terminated s1"])
        #expect(bench.layer.counts.isQuiescent)
    }

    @Test(.proves(.clause("RFC 3261 §17.2.4")))
    func endsOnTransportFailureOnceItResponded() throws {
        var bench = Bench()
        let options = try request("OPTIONS")
        bench.receive(options)
        bench.perform { $0.transportFailed(.server(firstServer), at: $1) }
        bench.respond(options.response(200), in: firstServer)
        bench.perform { $0.transportFailed(.server(firstServer), at: $1) }
        #expect(
            bench.log() == [
                "0 ! request OPTIONS s1", "0 > 200", "0 ! transport failed s1", "0 ! terminated s1",
            ])
    }
}
