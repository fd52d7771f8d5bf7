import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import Testing

@Suite struct NonInviteClientTransactionTests {
    @Test(.proves(.row(17), .clause("RFC 3261 §17.1.2.2")))
    func retransmitsAtIntervalsUpToT2ThenTimesOut() throws {
        var bench = Bench()
        bench.send(try request("OPTIONS"))
        bench.run(to: 100_000)
        #expect(
            bench.log() == [
                "0 > OPTIONS", "500 > OPTIONS", "1500 > OPTIONS", "3500 > OPTIONS", "7500 > OPTIONS",
                "11500 > OPTIONS", "15500 > OPTIONS", "19500 > OPTIONS", "23500 > OPTIONS", "27500 > OPTIONS",
                "31500 > OPTIONS", "32000 ! timed out c1", "32000 ! terminated c1",
            ])
        #expect(bench.layer.counts.isQuiescent)
    }

    @Test(.proves(.row(17), .clause("RFC 3261 §17.1.2.2")))
    func goesOnAtT2AfterAProvisionalResponseAndStillTimesOut() throws {
        var bench = Bench()
        let options = try request("OPTIONS")
        bench.send(options)
        bench.run(to: 600)
        bench.receive(options.response(100))
        bench.run(to: 2_000)
        bench.receive(options.response(100))
        bench.run(to: 100_000)
        #expect(
            bench.log() == [
                "0 > OPTIONS", "500 > OPTIONS", "600 ! response 100 c1", "1500 > OPTIONS", "2000 ! response 100 c1",
                "5500 > OPTIONS", "9500 > OPTIONS", "13500 > OPTIONS", "17500 > OPTIONS", "21500 > OPTIONS",
                "25500 > OPTIONS", "29500 > OPTIONS", "32000 ! timed out c1", "32000 ! terminated c1",
            ])
    }

    @Test(.proves(.row(17), .clause("RFC 3261 §17.1.2.2")), arguments: [false, true])
    func passesOneFinalResponseOnAndAbsorbsItsRepetitionsForT4(isProvisionalFirst: Bool) throws {
        var bench = Bench()
        let bye = try request("BYE")
        bench.send(bye)
        if isProvisionalFirst { bench.receive(bye.response(100)) }
        _ = bench.log()
        bench.run(to: 100)
        bench.receive(bye.response(200))
        bench.run(to: 5_099)
        bench.receive(bye.response(200))
        bench.receive(bye.response(100))
        #expect(bench.log() == ["100 ! response 200 c1"])
        bench.run(to: 5_200)
        bench.receive(bye.response(200))
        #expect(bench.log() == ["5100 ! terminated c1", "5200 ! stray 200"])
        #expect(bench.layer.counts.isQuiescent)
    }

    @Test(.proves(.row(17), .clause("RFC 3261 §17.1.2.2")))
    func sendsOnceOverReliableTransport() throws {
        var bench = Bench(.tcp)
        bench.send(try request("OPTIONS", transport: "TCP"))
        bench.run(to: 100_000)
        #expect(bench.log() == ["0 > OPTIONS", "32000 ! timed out c1", "32000 ! terminated c1"])
    }

    @Test(.proves(.row(17), .clause("RFC 3261 §17.1.2.2")))
    func completesAtOnceOverReliableTransport() throws {
        var bench = Bench(.tcp)
        let options = try request("OPTIONS", transport: "TCP")
        bench.send(options)
        bench.receive(options.response(200))
        #expect(bench.log() == ["0 > OPTIONS", "0 ! response 200 c1", "0 ! terminated c1"])
        #expect(bench.layer.counts.isQuiescent)
    }

    @Test(.proves(.row(44), .clause("RFC 3261 §17.1.4")))
    func tellsOfTransportFailureUntilItIsAnswered() throws {
        var bench = Bench()
        let options = try request("OPTIONS")
        let first = bench.send(options)
        bench.receive(options.response(100))
        _ = bench.log()
        bench.perform { $0.transportFailed(.client(first), at: $1) }
        #expect(bench.log() == ["0 ! transport failed c1", "0 ! terminated c1"])
        let second = bench.send(options)
        bench.receive(options.response(200))
        _ = bench.log()
        bench.perform { $0.transportFailed(.client(second), at: $1) }
        #expect(bench.log() == [])
    }
}
