import EngineKit
import NameServer
import Proofs
import ServerLocation
import Testing

/// Replies of name servers, honest and not.
@Suite struct NameAnswerTests {
    private func question(_ name: String, _ kind: DNSRecord.Kind) throws -> NameQuestion {
        try #require(NameQuestion(name, .records(kind)))
    }

    private let zone = Zone(exampleZone)

    private func answer(_ name: String, _ kind: DNSRecord.Kind, in zone: Zone) throws -> NameAnswer {
        NameAnswer(parsing: zone.reply(name: name, kind: kind.rawValue), to: try question(name, kind))
    }

    @Test func readsEachKindWithItsTimeToLive() throws {
        let address = try answer("server1.example.test", .a, in: zone)
        #expect(address == .records([DNSRecord(.address(.v4(0xc000_0201)), timeToLive: 300)]))
        let services = try answer("_sip._tcp.example.test", .srv, in: zone)
        #expect(
            services
                == .records([
                    DNSRecord(
                        .service(ServiceRecord(priority: 0, weight: 0, port: 5060, target: "server1.example.test")),
                        timeToLive: 300),
                    DNSRecord(
                        .service(ServiceRecord(priority: 1, weight: 0, port: 5070, target: "server2.example.test")),
                        timeToLive: 300),
                ]))
        let pointers = try answer("example.test", .naptr, in: zone)
        guard case .records(let records) = pointers, case .pointer(let first)? = records.first?.content else {
            Issue.record("no pointer: \(pointers)")
            return
        }
        #expect(records.count == 3)
        #expect(first.service == "SIPS+D2T" && first.flags == "s" && first.replacement == "_sips._tcp.example.test")
        let six = try answer("six.test", .aaaa, in: Zone([.aaaa("six.test", last: 7, timeToLive: 9)]))
        #expect(
            six == .records([DNSRecord(.address(.v6(high: 0x2001_0db8_0000_0000, low: 7)), timeToLive: 9)]))
    }

    @Test(.proves(.clause("RFC 2308 §2")))
    func tellsNoSuchNameFromNothingOfTheKind() throws {
        #expect(try answer("nobody.test", .a, in: zone) == .failed(.noSuchName))
        #expect(try answer("server1.example.test", .aaaa, in: zone) == .records([]))
    }

    @Test func followsAliasesWithTheShortestLife() throws {
        let zone = Zone([
            .alias("www.test", of: "middle.test", timeToLive: 40), .alias("middle.test", of: "end.test"),
            .a("end.test", [192, 0, 2, 5], timeToLive: 900),
        ])
        #expect(
            try answer("www.test", .a, in: zone) == .records([DNSRecord(.address(.v4(0xc000_0205)), timeToLive: 40)]))
    }

    @Test(.proves(.incident(21), .clause("RFC 1034 §3.6.2")))
    func aliasesInACircleEnd() throws {
        let zone = Zone([.alias("a.test", of: "b.test"), .alias("b.test", of: "a.test")])
        #expect(try answer("a.test", .a, in: zone) == .records([]))
    }

    @Test(.proves(.rule(21), .incident(22)))
    func believesNothingThatWasNotAsked() throws {
        var reply = zone.reply(name: "server1.example.test", kind: 1)
        let other = ZoneRecord.a("server2.example.test", [192, 0, 2, 66])
        reply[7] += 1
        let answer = NameAnswer(parsing: reply + other.bytes, to: try question("server1.example.test", .a))
        #expect(answer == .records([DNSRecord(.address(.v4(0xc000_0201)), timeToLive: 300)]))
        // The answer to another question is none, whatever it holds.
        #expect(
            NameAnswer(parsing: reply, to: try question("server2.example.test", .a)) == .failed(.serverFailed))
        #expect(
            NameAnswer(parsing: reply, to: try question("server1.example.test", .srv)) == .failed(.serverFailed))
    }

    @Test func namesThatTheSearchListCompletedAreTheSame() throws {
        let zone = Zone([.a("pbx.corp.test", [192, 0, 2, 3])])
        let reply = zone.reply(name: "pbx.corp.test", kind: 1)
        #expect(NameAnswer(parsing: reply, to: try question("pbx", .a)).isAnswered)
        #expect(!NameAnswer(parsing: reply, to: try question("bx", .a)).isAnswered)
    }

    @Test(.proves(.rule(21), .incident(22)))
    func queriesAndTruncatedRepliesAreNoAnswers() throws {
        let asked = try question("server1.example.test", .a)
        for (index, bits) in [(2, 0x00), (2, 0x83), (2, 0x89), (5, 0), (5, 2)] as [(Int, UInt8)] {
            var reply = zone.reply(name: "server1.example.test", kind: 1)
            reply[index] = bits
            #expect(NameAnswer(parsing: reply, to: asked) == .failed(.serverFailed))
        }
    }

    @Test(.proves(.clause("RFC 2181 §8")))
    func aLifeOfMoreThan31BitsIsNone() throws {
        let zone = Zone([.a("old.test", [192, 0, 2, 3], timeToLive: 0x8000_0000)])
        #expect(
            try answer("old.test", .a, in: zone) == .records([DNSRecord(.address(.v4(0xc000_0203)), timeToLive: 0)]))
    }

    @Test(.proves(.incident(21)))
    func pointersThatLeadForwardsOrInCirclesEnd() throws {
        let asked = try question("a.test", .srv)
        let head = Zone().reply(name: "a.test", kind: 33).prefix(12)
        for pointer in [[0xc0, 0x0c], [0xc0, 0x1c], [0xff, 0xff], [0x01, 0x61, 0xc0, 0x1c]] as [[UInt8]] {
            var reply = Array(head) + ZoneRecord.encoded("a.test") + [0, 33, 0, 1]
            reply[3] = 0x80
            reply[7] = 1
            #expect(!NameAnswer(parsing: reply + pointer + [0, 33, 0, 1], to: asked).isEqual(to: .address(.loopback)))
        }
        var spinning = Array(head) + [0xc0, 0x0c, 0, 33, 0, 1]
        spinning[3] = 0x80
        #expect(NameAnswer(parsing: spinning, to: asked) == .failed(.serverFailed))
    }

    @Test(.proves(.incident(21)))
    func hugeAnswersAreReadInPart() throws {
        let records = (0..<2000).map { ZoneRecord.a("big.test", [10, 0, UInt8($0 / 256), UInt8($0 % 256)]) }
        guard case .records(let read) = try answer("big.test", .a, in: Zone(records)) else {
            Issue.record("nothing was read")
            return
        }
        #expect(read.count == 128)
    }

    @Test(.proves(.incident(21)))
    func everyPieceOfAReplyIsRead() throws {
        for kind in DNSRecord.Kind.allCases {
            let reply = zone.reply(name: "example.test", kind: kind.rawValue)
            let asked = try question("example.test", kind)
            for count in 0..<reply.count {
                guard case .records(let records) = NameAnswer(parsing: Array(reply.prefix(count)), to: asked) else {
                    continue
                }
                #expect(records.count <= 3)
            }
        }
    }

    @Test(.proves(.incident(21)))
    func anyBytesAreAnswered() throws {
        var random = RandomSource(seed: 7)
        let replies = DNSRecord.Kind.allCases.flatMap { kind in
            ["example.test", "_sip._tcp.example.test", "server1.example.test"].map {
                (kind, $0, zone.reply(name: $0, kind: kind.rawValue))
            }
        }
        var read = 0
        for _ in 0..<40_000 {
            var (kind, name, bytes) = replies[Int.random(in: replies.indices, using: &random)]
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let index = Int.random(in: bytes.indices, using: &random)
                bytes[index] = Bool.random(using: &random) ? UInt8.random(in: 0...255, using: &random) : 0xc0
            }
            if Int.random(in: 0..<4, using: &random) == 0 {
                bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
            }
            if NameAnswer(parsing: bytes, to: try question(name, kind)).isAnswered { read += 1 }
        }
        #expect(read > 1000)
    }
}

extension NameAnswer {
    fileprivate var isAnswered: Bool {
        if case .records(let records) = self { !records.isEmpty } else { false }
    }

    fileprivate func isEqual(to content: DNSRecord.Content) -> Bool {
        if case .records(let records) = self { records.contains { $0.content == content } } else { false }
    }
}
