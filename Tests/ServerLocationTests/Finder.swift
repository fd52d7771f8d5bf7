import EngineKit
import NameServer
import SIPMessages

@testable import ServerLocation

/// A locator in virtual time, whose questions a zone answers after a while.
struct Finder {
    enum Outcome: Equatable {
        case found([String])
        case failed(LocationFailure)
    }

    var locator: ServerLocator
    var zone = Zone()
    /// What `/etc/hosts` says.
    var table: [String: [IPAddress]] = [:]
    /// How long each question takes, and what goes wrong with it; nil for the duration: it is never answered.
    var delay: (NameQuestion) -> Duration? = { _ in .milliseconds(20) }
    var failure: (NameQuestion) -> NameFailure? = { _ in nil }
    private(set) var now = Instant.zero
    /// All that was asked, in order: `srv _sip._udp.example.test`.
    private(set) var asked: [String] = []
    private(set) var results: [(id: UInt64, at: Instant, servers: [RankedServer], failure: LocationFailure?)] = []
    private var coming: [(at: Instant, question: NameQuestion)] = []
    private var lastID: UInt64 = 0

    static let everywhere = Reach(transports: [.udp, .tcp], hasIPv4: true, hasIPv6: false)

    init(_ records: [ZoneRecord] = [], reach: Reach = everywhere, seed: UInt64 = 1) {
        zone = Zone(records)
        locator = ServerLocator(reach: reach, random: RandomSource(seed: seed))
    }

    @discardableResult
    mutating func ask(
        _ host: String, port: UInt16? = nil, transport: Transport? = nil, isSecure: Bool = false
    ) -> UInt64 {
        lastID += 1
        let request = LocationRequest(target: Host(host), port: port, transport: transport, isSecure: isSecure)
        locator.locate(request, as: LocationID(rawValue: lastID), at: now)
        drain()
        return lastID
    }

    /// What a search comes to, `udp 192.0.2.1:5060` each, and how long it takes.
    mutating func locate(
        _ host: String, port: UInt16? = nil, transport: Transport? = nil, isSecure: Bool = false
    ) -> (outcome: Outcome, took: Duration) {
        let start = now
        let id = ask(host, port: port, transport: transport, isSecure: isSecure)
        run(for: .seconds(6)) { $0.results.contains { $0.id == id } }
        guard let result = results.last(where: { $0.id == id }) else { return (.failed(.overloaded), now - start) }
        let texts = result.servers.map { "\($0.server.transport.name.lowercased()) \($0.server.address)" }
        return (result.failure.map(Outcome.failed) ?? .found(texts), result.at - start)
    }

    mutating func run(for duration: Duration, until isDone: (Finder) -> Bool = { _ in false }) {
        let end = now + duration
        while !isDone(self), let next = ([locator.deadline].compactMap { $0 } + coming.map(\.at)).min(), next <= end {
            now = max(now, next)
            if let index = coming.firstIndex(where: { $0.at <= now }) {
                let question = coming.remove(at: index).question
                locator.receive(answer(to: question), to: question, at: now)
            } else {
                locator.handleDeadline(at: now)
            }
            drain()
        }
        if !isDone(self) { now = end }
    }

    private func answer(to question: NameQuestion) -> NameAnswer {
        if let failure = failure(question) { return .failed(failure) }
        switch question.kind {
        case .hostsTable:
            return .records((table[question.name] ?? []).map { DNSRecord(.address($0), timeToLive: 0) })
        case .records(let kind):
            return NameAnswer(parsing: zone.reply(name: question.name, kind: kind.rawValue), to: question)
        }
    }

    private mutating func drain() {
        while let output = locator.nextOutput() {
            switch output {
            case .ask(let question):
                if question.kind != .hostsTable { asked.append("\(question.kind.word) \(question.name)") }
                let wait = question.kind == .hostsTable ? .zero : delay(question)
                if let wait { coming.append((now + wait, question)) }
            case .found(let id, let servers): results.append((id.rawValue, now, servers, nil))
            case .failed(let id, let failure): results.append((id.rawValue, now, [], failure))
            }
        }
    }
}

extension NameQuestion.Kind {
    var word: String {
        switch self {
        case .hostsTable: "table"
        case .records(let kind): "\(kind)"
        }
    }
}

/// The domain of RFC 3263 §4.1's example, without TLS.
let exampleZone: [ZoneRecord] = [
    .naptr("example.test", order: 50, preference: 50, service: "SIPS+D2T", replacement: "_sips._tcp.example.test"),
    .naptr("example.test", order: 90, preference: 50, service: "SIP+D2T", replacement: "_sip._tcp.example.test"),
    .naptr("example.test", order: 100, preference: 50, service: "SIP+D2U", replacement: "_sip._udp.example.test"),
    .srv("_sips._tcp.example.test", port: 5061, target: "server1.example.test"),
    .srv("_sip._tcp.example.test", port: 5060, target: "server1.example.test"),
    .srv("_sip._tcp.example.test", priority: 1, port: 5070, target: "server2.example.test"),
    .srv("_sip._udp.example.test", port: 5060, target: "server2.example.test"),
    .a("server1.example.test", [192, 0, 2, 1]), .a("server2.example.test", [192, 0, 2, 2]),
    .a("example.test", [192, 0, 2, 9]),
]
