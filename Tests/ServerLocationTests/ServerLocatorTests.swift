import EngineKit
import NameServer
import Proofs
import SIPMessages
import Testing

@testable import ServerLocation

/// Which server a request goes to: RFC 3263 §4.1 and §4.2.
@Suite struct ServerLocatorTests {
    // MARK: - What needs no name server

    @Test(.proves(.clause("RFC 3263 §4.1")))
    func numbersAreUsedAsTheyAre() {
        var finder = Finder()
        #expect(finder.locate("192.0.2.7").outcome == .found(["udp 192.0.2.7:5060"]))
        #expect(finder.locate("192.0.2.7", port: 5099, transport: .tcp).outcome == .found(["tcp 192.0.2.7:5099"]))
        #expect(finder.locate("[2001:db8::1]").outcome == .failed(.noAddress))
        #expect(finder.locate("0.0.0.0").outcome == .failed(.notOfAHost))
        #expect(finder.locate("224.0.1.75").outcome == .failed(.notOfAHost))
        #expect(finder.asked.isEmpty)
    }

    @Test func localhostIsThisMachine() {
        var finder = Finder(reach: Reach(transports: [.udp], hasIPv4: true, hasIPv6: true))
        #expect(finder.locate("localhost", port: 5070).outcome == .found(["udp [::1]:5070", "udp 127.0.0.1:5070"]))
        #expect(finder.locate("Phone.LocalHost.").outcome == .found(["udp [::1]:5060", "udp 127.0.0.1:5060"]))
        #expect(finder.asked.isEmpty)
    }

    @Test func theTableOfThisMachineGoesBeforeTheNameServers() {
        var finder = Finder(exampleZone)
        finder.table = ["example.test": [.v4(0x0a00_0001)], "server2.example.test": [.v4(0x0a00_0002)]]
        #expect(finder.locate("example.test").outcome == .found(["udp 10.0.0.1:5060"]))
        #expect(finder.asked.isEmpty)
        finder.table["example.test"] = nil
        let hosts = finder.locate("example.test").outcome
        #expect(hosts == .found(["tcp 192.0.2.1:5060", "tcp 10.0.0.2:5070"]))
    }

    @Test func whatIsNoNameIsNotAskedFor() {
        var finder = Finder()
        for name in ["", ".", "a..b", String(repeating: "a", count: 64), "sp ace.test", "x\u{0}.test"] {
            #expect(finder.locate(name).outcome == .failed(.noSuchName), "\(name)")
        }
        #expect(finder.locate(String(repeating: "a.", count: 127)).outcome == .failed(.noSuchName))
    }

    // MARK: - Transports

    @Test(.proves(.row(37), .clause("RFC 3263 §4.1")))
    func theDomainChoosesAmongWhatWeSpeak() {
        var finder = Finder(exampleZone)
        #expect(finder.locate("example.test").outcome == .found(["tcp 192.0.2.1:5060", "tcp 192.0.2.2:5070"]))
        var datagrams = Finder(exampleZone, reach: Reach(transports: [.udp], hasIPv4: true, hasIPv6: false))
        #expect(datagrams.locate("example.test").outcome == .found(["udp 192.0.2.2:5060"]))
        var secure = Finder(exampleZone, reach: Reach(transports: [.udp, .tcp, .tls], hasIPv4: true, hasIPv6: false))
        #expect(secure.locate("example.test").outcome == .found(["tls 192.0.2.1:5061"]))
    }

    @Test(.proves(.row(37), .clause("RFC 3263 §4.1")))
    func anExplicitTransportAsksForItsService() {
        var finder = Finder(exampleZone)
        #expect(finder.locate("example.test", transport: .udp).outcome == .found(["udp 192.0.2.2:5060"]))
        #expect(finder.asked == ["srv _sip._udp.example.test", "a server2.example.test"])
        #expect(finder.locate("example.test", transport: .sctp).outcome == .failed(.transportUnsupported))
    }

    @Test(.proves(.clause("RFC 3263 §4.1")))
    func anExplicitPortAsksForAddressesOnly() {
        var finder = Finder(exampleZone)
        #expect(finder.locate("example.test", port: 5060).outcome == .found(["udp 192.0.2.9:5060"]))
        #expect(
            finder.locate("example.test", port: 5080, transport: .tcp).outcome == .found(["tcp 192.0.2.9:5080"]))
        #expect(finder.asked == ["a example.test", "a example.test"])
    }

    @Test(.proves(.clause("RFC 3263 §4.1")))
    func withoutPointersTheUsualServicesAreAskedFor() {
        var finder = Finder(exampleZone.filter { $0.kind != 35 })
        #expect(
            finder.locate("example.test").outcome
                == .found(["udp 192.0.2.2:5060", "tcp 192.0.2.1:5060", "tcp 192.0.2.2:5070"]))
    }

    @Test(.proves(.clause("RFC 3263 §4.1")))
    func withoutServicesTheHostItselfIsAskedOverUDP() {
        var finder = Finder([.a("pbx.test", [192, 0, 2, 4])])
        #expect(finder.locate("pbx.test").outcome == .found(["udp 192.0.2.4:5060"]))
        #expect(finder.locate("pbx.test", transport: .tcp).outcome == .found(["tcp 192.0.2.4:5060"]))
        var streams = Finder(
            [.a("pbx.test", [192, 0, 2, 4])], reach: Reach(transports: [.tcp], hasIPv4: true, hasIPv6: false))
        #expect(streams.locate("pbx.test").outcome == .found(["tcp 192.0.2.4:5060"]))
    }

    @Test func aNameOfOneLabelIsAHost() {
        var finder = Finder([.a("pbx", [192, 0, 2, 4])])
        #expect(finder.locate("pbx").outcome == .found(["udp 192.0.2.4:5060"]))
        #expect(finder.asked == ["a pbx"])
    }

    @Test(.proves(.clause("RFC 3263 §4.1")))
    func secureAddressesAreNeverReachedInTheOpen() {
        var open = Finder(exampleZone)
        for transport in [nil, .udp, .tcp, .tls] as [Transport?] {
            #expect(
                open.locate("example.test", transport: transport, isSecure: true).outcome
                    == .failed(.transportUnsupported))
            #expect(
                open.locate("192.0.2.1", transport: transport, isSecure: true).outcome
                    == .failed(.transportUnsupported))
        }
        let reach = Reach(transports: [.udp, .tcp, .tls], hasIPv4: true, hasIPv6: false)
        // Pointers to what is not secure are passed over.
        var secure = Finder(exampleZone.filter { $0.name != "_sips._tcp.example.test" }, reach: reach)
        #expect(secure.locate("example.test", isSecure: true).outcome == .found(["tls 192.0.2.9:5061"]))
        #expect(
            secure.locate("example.test", transport: .tcp, isSecure: true).outcome == .found(["tls 192.0.2.9:5061"]))
        #expect(
            secure.locate("example.test", transport: .udp, isSecure: true).outcome == .failed(.transportUnsupported))
        #expect(secure.locate("192.0.2.1", isSecure: true).outcome == .found(["tls 192.0.2.1:5061"]))
    }

    @Test(.proves(.row(37), .clause("RFC 3263 §4.1")))
    func pointersThatAreNotForUsArePassedOver() {
        var finder = Finder([
            .naptr("d.test", order: 1, service: "SIP+D2S", replacement: "_sip._sctp.d.test"),
            .naptr("d.test", order: 2, flags: "u", service: "SIP+D2U", expression: "!.*!sip:x!", replacement: "."),
            .naptr("d.test", order: 3, service: "E2U+sip", replacement: "_sip._udp.d.test"),
            .naptr("d.test", order: 7, preference: 9, flags: "S", service: "sip+d2u", replacement: "_sip._udp.d.test"),
            .naptr("d.test", order: 7, preference: 2, service: "SIP+D2T", replacement: "other.elsewhere.test"),
            .naptr("d.test", order: 8, service: "SIP+D2U", replacement: "_never._udp.d.test"),
            .srv("_sip._udp.d.test", port: 1, target: "h.test"),
            .srv("other.elsewhere.test", port: 2, target: "h.test"),
            .a("h.test", [192, 0, 2, 8]),
        ])
        #expect(finder.locate("d.test").outcome == .found(["tcp 192.0.2.8:2", "udp 192.0.2.8:1"]))
        #expect(!finder.asked.contains("srv _never._udp.d.test"))
    }

    // MARK: - Services

    @Test(.proves(.clause("RFC 2782")))
    func aTargetOfTheRootSaysThatThereIsNoSuchService() {
        var finder = Finder([
            .srv("_sip._udp.d.test", port: 0, target: "."), .srv("_sip._tcp.d.test", port: 0, target: "."),
            .a("d.test", [192, 0, 2, 8]),
        ])
        #expect(finder.locate("d.test").outcome == .failed(.notOffered))
        #expect(finder.locate("d.test", transport: .udp).outcome == .failed(.notOffered))
        finder.zone.records[1] = .a("x.test", [192, 0, 2, 1])
        #expect(finder.locate("d.test").outcome == .found(["tcp 192.0.2.8:5060"]))
    }

    @Test(.proves(.rule(21)))
    func notMoreThanSixteenServersComeOutOfAnyAnswer() {
        let many = (0..<100).flatMap { number in
            [
                ZoneRecord.srv("_sip._udp.d.test", port: UInt16(6000 + number), target: "h\(number).test"),
                .a("h\(number).test", [192, 0, 2, 1]), .a("h\(number).test", [192, 0, 2, 2]),
            ]
        }
        var finder = Finder(many)
        guard case .found(let servers) = finder.locate("d.test", transport: .udp).outcome else {
            Issue.record("nothing found")
            return
        }
        #expect(servers.count == 16)
        #expect(finder.asked.filter { $0.hasPrefix("a ") }.count == 16)
    }

    @Test(.proves(.clause("RFC 3263 §4.2")))
    func bothFamiliesAreAskedForWhereWeHaveBoth() {
        let records: [ZoneRecord] = [.a("h.test", [192, 0, 2, 1]), .aaaa("h.test", last: 1)]
        var both = Finder(records, reach: Reach(transports: [.udp], hasIPv4: true, hasIPv6: true))
        #expect(both.locate("h.test", port: 5060).outcome == .found(["udp [2001:db8::1]:5060", "udp 192.0.2.1:5060"]))
        #expect(Set(both.asked) == ["a h.test", "aaaa h.test"])
        var six = Finder(records, reach: Reach(transports: [.udp], hasIPv4: false, hasIPv6: true))
        #expect(six.locate("h.test", port: 5060).outcome == .found(["udp [2001:db8::1]:5060"]))
        var four = Finder([.aaaa("h.test", last: 1)])
        #expect(four.locate("h.test", port: 5060).outcome == .failed(.noAddress))
    }

    // MARK: - Failures

    @Test func failuresAreTold() {
        var finder = Finder(exampleZone)
        #expect(finder.locate("nobody.test").outcome == .failed(.noSuchName))
        finder.failure = { $0.kind == .hostsTable ? nil : .serverFailed }
        #expect(finder.locate("example.test").outcome == .failed(.serverFailed))
        finder.failure = { $0.kind == .hostsTable ? nil : .timedOut }
        #expect(finder.locate("example.test").outcome == .failed(.timedOut))
    }

    @Test(.proves(.rule(21)))
    func silenceLastsFiveSeconds() {
        var finder = Finder(exampleZone)
        finder.delay = { _ in nil }
        let search = finder.locate("example.test")
        #expect(search.outcome == .failed(.timedOut) && search.took == .seconds(5))
        #expect(finder.locator.isAtRest)
    }

    @Test func aForwarderThatDropsPointerQuestionsDoesNotKeepUsFromCalling() {
        var finder = Finder(exampleZone)
        finder.delay = { $0.kind == .records(.naptr) ? nil : .milliseconds(20) }
        let search = finder.locate("example.test")
        #expect(search.took == .milliseconds(2020))
        #expect(
            search.outcome == .found(["udp 192.0.2.2:5060", "tcp 192.0.2.1:5060", "tcp 192.0.2.2:5070"]))
        // And what was found without an answer is not remembered.
        finder.delay = { _ in .zero }
        #expect(finder.locate("example.test").outcome == .found(["tcp 192.0.2.1:5060", "tcp 192.0.2.2:5070"]))
    }

    @Test func oneThatDropsServiceQuestionsToo() {
        var finder = Finder(exampleZone)
        finder.delay = { [.records(.naptr), .records(.srv)].contains($0.kind) ? nil : .milliseconds(20) }
        let search = finder.locate("example.test")
        #expect(search.outcome == .found(["udp 192.0.2.9:5060"]) && search.took == .milliseconds(3520))
    }

    @Test func slowAddressesAreWaitedForASecondOnceThereIsOne() {
        let reach = Reach(transports: [.udp], hasIPv4: true, hasIPv6: true)
        var finder = Finder([.a("h.test", [192, 0, 2, 1]), .aaaa("h.test", last: 1)], reach: reach)
        finder.delay = { $0.kind == .records(.aaaa) ? nil : .milliseconds(100) }
        let search = finder.locate("h.test", port: 5060)
        #expect(search.outcome == .found(["udp 192.0.2.1:5060"]) && search.took == .milliseconds(1100))
    }

    @Test func usualServicesAreAskedForTogetherWithThePointers() {
        var finder = Finder(exampleZone)
        let search = finder.locate("example.test")
        #expect(search.took == .milliseconds(40))
        #expect(
            finder.asked == [
                "naptr example.test", "srv _sip._udp.example.test", "srv _sip._tcp.example.test",
                "a server1.example.test", "a server2.example.test",
            ])
    }
}
