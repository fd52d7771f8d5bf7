import EngineKit
import SIPMessages

/// One search for a server, RFC 3263 §4.1 and §4.2: a function of the answers so far and of the time.
struct Location: Sendable {
    enum Step: Sendable {
        /// The answers that it waits for, and until when.
        case wait([NameQuestion], until: Instant)
        /// In the order in which to try them, and for how many seconds that holds.
        case found([RankedServer], timeToLive: UInt32)
        case failed(LocationFailure)
    }

    /// A host that serves, before its addresses are known.
    private struct Candidate: Sendable {
        let host: String
        let transport: Transport
        let port: UInt16
    }

    let request: LocationRequest
    private let reach: Reach
    private let limits: LocationLimits
    private let began: Instant
    private let transports: [Transport]
    private var answers: [NameQuestion: NameAnswer] = [:]
    private var hasAddressSince: Instant?
    /// Decided once; the draw by weight is not made again.
    private var services: [SIPService]?
    private var isChosenByDomain = false
    private var candidates: [Candidate]?
    /// The least time to live of what was used, in seconds; 0 where anything went unanswered.
    private var timeToLive = UInt32.max

    init(_ request: LocationRequest, reach: Reach, limits: LocationLimits, at now: Instant) {
        self.request = request
        self.reach = reach
        self.limits = limits
        began = now
        transports = request.transports(among: reach.transports)
    }

    mutating func receive(_ answer: NameAnswer, to question: NameQuestion, at now: Instant) {
        answers[question] = answer
        if hasAddressSince == nil, !addresses(in: answer).isEmpty { hasAddressSince = now }
    }

    mutating func step(at now: Instant, random: inout RandomSource) -> Step {
        guard let transport = plainTransport else { return .failed(.transportUnsupported) }
        switch request.target {
        case .address(let address):
            return found([address], over: transport)
        case .name(let name):
            guard let table = NameQuestion(name, .hostsTable) else { return .failed(.noSuchName) }
            // Names under `localhost` are nobody's to answer (RFC 6761 §6.3).
            if table.name == "localhost" || table.name.hasSuffix(".localhost") {
                return found([.loopbackV6, .loopback], over: transport)
            }
            let end = began + limits.total
            guard answers[table] != nil || now >= end else { return .wait([table], until: end) }
            let addresses = answers[table].map(addresses) ?? []
            if !addresses.isEmpty { return found(addresses, over: transport) }
            return search(table.name, at: now, random: &random)
        }
    }

    private func found(_ addresses: [IPAddress], over transport: Transport) -> Step {
        let port = request.port ?? transport.defaultPort
        let servers = addresses.filter(reach.mayReach).map {
            RankedServer(ServerAddress(transport, SocketAddress($0.unmapped, port: port)), rank: 0)
        }
        guard servers.isEmpty else { return .found(servers, timeToLive: 0) }
        return .failed(addresses.contains(where: \.isOfAHost) ? .noAddress : .notOfAHost)
    }

    // MARK: - Stages

    private mutating func search(_ name: String, at now: Instant, random: inout RandomSource) -> Step {
        if services == nil {
            let step = decideServices(of: name, at: now)
            if let step { return step }
        }
        if candidates == nil {
            let step = decideCandidates(of: name, at: now, random: &random)
            if let step { return step }
        }
        return gatherAddresses(at: now)
    }

    /// §4.1: which services to ask for. Nil: decided.
    private mutating func decideServices(of name: String, at now: Instant) -> Step? {
        // An explicit port says that the name is a host's, and a name of one label is no domain's.
        guard request.port == nil, name.contains(".") else {
            services = []
            return nil
        }
        let guesses = plainTransports.compactMap { SIPService($0, of: name) }
        guard request.transport == nil, let question = NameQuestion(name, .records(.naptr)) else {
            services = guesses
            return nil
        }
        let end = began + limits.pointers
        guard answers[question] != nil || now >= end else {
            // The services under their usual names are asked for at the same time: mostly they are what is pointed to.
            return .wait(([question] + guesses.map(\.question)).filter { answers[$0] == nil }, until: end)
        }
        let pointers = take(question).prefix(limits.records).compactMap { record in
            if case .pointer(let pointer) = record.content { pointer } else { nil }
        }
        let preferred = SIPService.preferred(by: pointers, among: transports)
        isChosenByDomain = !preferred.isEmpty
        services = isChosenByDomain ? preferred : guesses
        return nil
    }

    /// §4.2 and RFC 2782: the hosts, in the order in which to try them. Nil: decided.
    private mutating func decideCandidates(of name: String, at now: Instant, random: inout RandomSource) -> Step? {
        let services = services ?? []
        let end = began + limits.services
        let open = services.map(\.question).filter { answers[$0] == nil }
        guard open.isEmpty || now >= end else { return .wait(open, until: end) }
        var found: [Candidate] = []
        var absent: [Transport] = []
        for service in services {
            let records = take(service.question).prefix(limits.records).compactMap { record in
                if case .service(let record) = record.content { record } else { nil }
            }
            if !records.isEmpty, records.allSatisfy(\.target.isEmpty) { absent.append(service.transport) }
            found += ServiceRecord.drawn(records.filter { !$0.target.isEmpty }, using: &random).map {
                Candidate(host: $0.target, transport: service.transport, port: $0.port)
            }
        }
        if found.isEmpty {
            let left = (isChosenByDomain ? services.map(\.transport) : plainTransports).filter { !absent.contains($0) }
            guard let transport = left.first else { return .failed(.notOffered) }
            found = [Candidate(host: name, transport: transport, port: request.port ?? transport.defaultPort)]
        }
        candidates = Array(found.prefix(limits.records))
        return nil
    }

    private mutating func gatherAddresses(at now: Instant) -> Step {
        let candidates = candidates ?? []
        let end = min(began + limits.total, hasAddressSince.map { $0 + limits.stragglers } ?? .distantFuture)
        let questions = candidates.map(\.host).flatMap(addressQuestions)
        let open = questions.filter { answers[$0] == nil }
        guard open.isEmpty || now >= end else { return .wait(open, until: end) }
        var servers: [RankedServer] = []
        for (rank, candidate) in candidates.enumerated() {
            for address in addresses(of: candidate.host) {
                let server = ServerAddress(candidate.transport, SocketAddress(address, port: candidate.port))
                guard servers.count < limits.records, !servers.contains(where: { $0.server == server }) else {
                    continue
                }
                servers.append(RankedServer(server, rank: rank))
            }
        }
        return servers.isEmpty ? .failed(failure(of: questions)) : .found(servers, timeToLive: timeToLive)
    }

    // MARK: - Answers

    /// The records of an answer, whose time to live then counts.
    private mutating func take(_ question: NameQuestion) -> [DNSRecord] {
        switch answers[question] {
        case .records(let records):
            for record in records { timeToLive = min(timeToLive, record.timeToLive) }
            return records
        case .failed(.noSuchName):
            return []
        case .failed, nil:
            // What may be there after all is asked for again next time.
            timeToLive = 0
            return []
        }
    }

    private func addressQuestions(_ host: String) -> [NameQuestion] {
        let kinds = [NameQuestion.Kind.hostsTable] + reach.families.map { .records($0) }
        return IPAddress(host) == nil ? kinds.compactMap { NameQuestion(host, $0) } : []
    }

    private mutating func addresses(of host: String) -> [IPAddress] {
        // Against the rules, and met with: an address where the target of a service should stand.
        if let address = IPAddress(host) { return reach.mayReach(address) ? [address] : [] }
        if let local = NameQuestion(host, .hostsTable).flatMap({ answers[$0] }).map(addresses), !local.isEmpty {
            return local
        }
        return addressQuestions(host).filter { $0.kind != .hostsTable }.flatMap { question in
            _ = take(question)
            return answers[question].map(addresses) ?? []
        }
    }

    private func addresses(in answer: NameAnswer) -> [IPAddress] {
        answer.records.compactMap { record in
            guard case .address(let address) = record.content, reach.mayReach(address) else { return nil }
            return address.unmapped
        }
    }

    private func failure(of questions: [NameQuestion]) -> LocationFailure {
        let outcomes = questions.filter { $0.kind != .hostsTable }.map { answers[$0] ?? .failed(.timedOut) }
        if outcomes.contains(.failed(.timedOut)) { return .timedOut }
        if outcomes.contains(.failed(.serverFailed)) { return .serverFailed }
        return outcomes.allSatisfy { $0 == .failed(.noSuchName) } ? .noSuchName : .noAddress
    }

    // MARK: - Transports

    /// The transports to use where the domain does not say: TLS only for those who asked for it.
    private var plainTransports: [Transport] {
        guard request.transport == nil, !request.isSecure else { return transports }
        return transports.filter { $0 == .udp } + transports.filter { $0 == .tcp }
    }

    private var plainTransport: Transport? { plainTransports.first }
}
