import EngineKit
import NameServer
import Proofs
import ServerLocation
import Testing

@testable import SIPRuntime

/// c-ares at work, against a name server of the test's own.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct NameResolverTests {
    private let server: NameServer

    init() throws {
        server = try NameServer(
            Zone([
                .naptr("d.test", order: 1, service: "SIP+D2U", replacement: "_sip._udp.d.test"),
                .srv("_sip._udp.d.test", priority: 3, weight: 4, port: 5071, target: "h.test"),
                .a("h.test", [192, 0, 2, 1], timeToLive: 77), .aaaa("h.test", last: 9),
            ]))
    }

    private func answer(
        _ name: String, _ kind: NameQuestion.Kind, from servers: [NameServer]
    ) async throws -> NameAnswer {
        let question = try #require(NameQuestion(name, kind))
        let addresses = try servers.map { try #require(SocketAddress($0.address)) }
        let (answers, sink) = AsyncStream.makeStream(of: NameAnswer.self)
        let resolver = NameResolver(servers: addresses, on: .shared) { asked, answer in
            if asked == question { sink.yield(answer) }
        }
        defer { resolver.stop() }
        #expect(resolver.ask(question))
        return try #require(await answers.first { _ in true })
    }

    @Test func readsEachKindOfRecord() async throws {
        let address = try await answer("h.test", .records(.a), from: [server])
        #expect(address == .records([DNSRecord(.address(.v4(0xc000_0201)), timeToLive: 77)]))
        let six = try await answer("h.test", .records(.aaaa), from: [server])
        #expect(six == .records([DNSRecord(.address(.v6(high: 0x2001_0db8_0000_0000, low: 9)), timeToLive: 300)]))
        let service = ServiceRecord(priority: 3, weight: 4, port: 5071, target: "h.test")
        #expect(
            try await answer("_sip._udp.d.test", .records(.srv), from: [server])
                == .records([DNSRecord(.service(service), timeToLive: 300)]))
        let pointer = NamingAuthorityPointer(
            order: 1, preference: 0, flags: "s", service: "SIP+D2U", replacement: "_sip._udp.d.test")
        #expect(
            try await answer("d.test", .records(.naptr), from: [server])
                == .records([DNSRecord(.pointer(pointer), timeToLive: 300)]))
        #expect(server.queries.count == 4)
    }

    @Test func tellsWhyThereIsNoAnswer() async throws {
        #expect(try await answer("nobody.d.test", .records(.srv), from: [server]) == .failed(.noSuchName))
        #expect(try await answer("h.test", .records(.srv), from: [server]) == .records([]))
        server.behave(.refusing(code: 2))
        #expect(try await answer("h.test", .records(.a), from: [server]) == .failed(.serverFailed))
        server.behave(.refusing(code: 5))
        #expect(try await answer("d.test", .records(.naptr), from: [server]) == .failed(.serverFailed))
    }

    @Test(.proves(.clause("RFC 7766 §5")))
    func asksAgainOverTCPWhereTheAnswerDoesNotFit() async throws {
        let many = (0..<200).map { ZoneRecord.srv("_sip._udp.big.test", port: UInt16($0), target: "h.test") }
        server.set(Zone(many))
        server.behave(.truncated)
        let answer = try await answer("_sip._udp.big.test", .records(.srv), from: [server])
        guard case .records(let records) = answer else {
            Issue.record("no records: \(answer)")
            return
        }
        #expect(records.count == 128)
        #expect(server.queries == ["33 _sip._udp.big.test", "33 _sip._udp.big.test tcp"])
    }

    @Test func asksTheNextServerWhereOneIsSilent() async throws {
        let silent = try NameServer(Zone())
        silent.behave(.silent)
        let answer = try await answer("h.test", .records(.a), from: [silent, server])
        #expect(answer == .records([DNSRecord(.address(.v4(0xc000_0201)), timeToLive: 77)]))
        #expect(!silent.queries.isEmpty)
    }

    @Test func waitsForASlowServer() async throws {
        server.behave(.late(milliseconds: 300))
        let answer = try await answer("h.test", .records(.a), from: [server])
        #expect(answer == .records([DNSRecord(.address(.v4(0xc000_0201)), timeToLive: 77)]))
    }

    @Test(.proves(.rule(21), .incident(22)))
    func believesNeitherForgedNorUnaskedRecords() async throws {
        server.behave(.forged)
        let truth = NameAnswer.records([DNSRecord(.address(.v4(0xc000_0201)), timeToLive: 77)])
        #expect(try await answer("h.test", .records(.a), from: [server]) == truth)
        server.behave(.talkative([.a("other.test", [192, 0, 2, 66]), .a("h.test.evil.test", [192, 0, 2, 66])]))
        #expect(try await answer("h.test", .records(.a), from: [server]) == truth)
    }

    @Test(.proves(.incident(21)))
    func garbledAnswersHoldNothing() async throws {
        server.behave(.garbled)
        for kind in DNSRecord.Kind.allCases {
            let answer = try await answer("h.test", .records(kind), from: [server])
            #expect([.records([]), .failed(.serverFailed), .failed(.timedOut)].contains(answer), "\(answer)")
        }
    }

    @Test(.proves(.rule(21), .incident(22)))
    func eachQuestionComesFromAPortOfItsOwn() async throws {
        for _ in 0..<20 { _ = try await answer("h.test", .records(.a), from: [server]) }
        #expect(server.sourcePorts.count >= 15)
    }

    @Test func theTableOfThisMachineIsRead() async throws {
        guard case .records(let records) = try await answer("localhost", .hostsTable, from: [server]) else { return }
        #expect(records.contains { $0.content == .address(.loopback) || $0.content == .address(.loopbackV6) })
        #expect(try await answer("h.test", .hostsTable, from: [server]) == .records([]))
        #expect(server.queries.isEmpty)
    }
}
