import EngineKit
import SIPMessages
import SIPUserAgent
import ServerLocation

/// The name servers of a simulated world.
extension World {
    /// Asks them for a phone, whose way to them may be broken.
    mutating func ask(_ question: NameQuestion, by host: HostID) {
        var answer = answer(to: question)
        var delay = question.kind == .hostsTable ? .zero : resolutionDelay
        switch outages.resolver(of: host, at: now) {
        case .notFound?: answer = .failed(.noSuchName)
        case .slow(let slowness)?: delay = slowness
        case .silent?: return
        case nil: break
        }
        agenda.plan(.answer(host, answer, to: question), at: now + delay)
    }

    /// Every address that a name may lead to.
    func addresses(of name: Host) -> [IPAddress] {
        guard case .name(let text) = name else { return [] }
        let servers = services.filter { $0.key.hasSuffix(text) }.flatMap(\.value)
        return directory[text] ?? [] + servers.flatMap { directory[$0.target] ?? [] }
    }

    /// What they say. Nothing of it may be remembered, so that a test may change it at any time.
    func answer(to question: NameQuestion) -> NameAnswer {
        switch question.kind {
        case .hostsTable, .records(.naptr):
            return .records([])
        case .records(.srv):
            guard let records = services[question.name] else { return .failed(.noSuchName) }
            return .records(records.map { DNSRecord(.service($0), timeToLive: 0) })
        case .records(let family):
            guard let addresses = directory[question.name] else { return .failed(.noSuchName) }
            return .records(
                addresses.filter { $0.isV4 == (family == .a) }.map { DNSRecord(.address($0), timeToLive: 0) })
        }
    }

    /// What the locator of a phone found, as the runtime gives it to the core.
    func resolved(_ id: LocationID, _ servers: [RankedServer], by host: HostID) -> Input {
        let local = hosts[host.index].address
        let ways = RankedServer.ordered(servers) { server in
            server.address.address.isV4 == local.address.isV4 ? (local.address, local) : nil
        }
        let destinations = ways.map {
            Destination(transport: $0.server.transport, remote: $0.server.address, local: $0.source)
        }
        let question = ResolveID(rawValue: id.rawValue)
        return destinations.isEmpty ? .resolutionFailed(question, .noRoute) : .resolved(question, destinations)
    }
}
