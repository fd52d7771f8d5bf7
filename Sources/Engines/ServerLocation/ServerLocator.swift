import DequeModule
import EngineKit
import SIPMessages

/// Finds the servers that a request may be sent to (RFC 3263 §4), and remembers them.
///
/// The engine face: requests and the answers of the resolver go in with the time, questions and servers come out. What
/// was found is remembered in the order in which it was drawn, until the first of the records behind it expires, so
/// that the requests of a phone go to one server as long as it answers.
package struct ServerLocator: Sendable {
    package enum Output: Equatable, Sendable {
        /// To be answered by `receive`, whatever the answer is; once, though it may be asked again later.
        case ask(NameQuestion)
        case found(LocationID, [RankedServer])
        case failed(LocationID, LocationFailure)
    }

    private struct Remembered: Sendable {
        let servers: [RankedServer]
        let expires: Instant
    }

    /// What we can reach servers by, as long as it stays so.
    package var reach: Reach {
        didSet { if reach != oldValue { remembered = [:] } }
    }
    private let limits: LocationLimits
    private var random: RandomSource
    private var locations: [LocationID: Location] = [:]
    /// Who waits for an answer, in the order of asking.
    private var waiting: [NameQuestion: [LocationID]] = [:]
    private var deadlines = DeadlineQueue<LocationID>()
    private var remembered: [LocationRequest: Remembered] = [:]
    private var failed = FailedServers()
    private var outputs = Deque<Output>()

    package init(reach: Reach, limits: LocationLimits = LocationLimits(), random: RandomSource) {
        self.reach = reach
        self.limits = limits
        self.random = random
    }

    // MARK: - The engine face

    package mutating func locate(_ request: LocationRequest, as id: LocationID, at now: Instant) {
        if let known = remembered[request], known.expires > now {
            return outputs.append(.found(id, failed.lowered(known.servers, at: now)))
        }
        guard locations.count < limits.locations, locations[id] == nil else {
            return outputs.append(.failed(id, .overloaded))
        }
        locations[id] = Location(request, reach: reach, limits: limits, at: now)
        proceed(id, at: now)
    }

    /// The answer to a question; one that nobody waits for any more is passed over.
    package mutating func receive(_ answer: NameAnswer, to question: NameQuestion, at now: Instant) {
        for id in waiting.removeValue(forKey: question) ?? [] {
            locations[id]?.receive(answer, to: question, at: now)
            proceed(id, at: now)
        }
    }

    /// A server did not answer, or answered 503: for a while the others come before it (§4.3).
    ///
    /// - Parameter duration: how long it asked to be spared.
    package mutating func noteFailure(of server: ServerAddress, for duration: Duration?, at now: Instant) {
        failed.insert(server, until: now + min(duration ?? limits.failure, limits.longestFailure), at: now)
    }

    package mutating func handleDeadline(at now: Instant) {
        while let id = deadlines.popDue(at: now) { proceed(id, at: now) }
    }

    package mutating func nextOutput() -> Output? { outputs.popFirst() }

    package var deadline: Instant? { deadlines.deadline }

    /// Whether nothing is looked for.
    package var isAtRest: Bool { locations.isEmpty && waiting.isEmpty && deadlines.isEmpty }

    // MARK: - Steps

    private mutating func proceed(_ id: LocationID, at now: Instant) {
        guard var location = locations[id] else { return }
        let step = location.step(at: now, random: &random)
        locations[id] = location
        switch step {
        case .wait(let questions, let end):
            deadlines.set(id, at: end)
            for question in questions { ask(question, for: id) }
        case .found(let servers, let seconds):
            remember(servers, for: location.request, seconds: seconds, at: now)
            conclude(id, .found(id, failed.lowered(servers, at: now)))
        case .failed(let failure):
            conclude(id, .failed(id, failure))
        }
    }

    private mutating func ask(_ question: NameQuestion, for id: LocationID) {
        if waiting[question] == nil { outputs.append(.ask(question)) }
        if waiting[question]?.contains(id) != true { waiting[question, default: []].append(id) }
    }

    private mutating func conclude(_ id: LocationID, _ output: Output) {
        locations[id] = nil
        deadlines.cancel(id)
        for question in waiting.filter({ $0.value.contains(id) }).keys {
            waiting[question]?.removeAll { $0 == id }
            if waiting[question]?.isEmpty == true { waiting[question] = nil }
        }
        outputs.append(output)
    }

    private mutating func remember(
        _ servers: [RankedServer], for request: LocationRequest, seconds: UInt32, at now: Instant
    ) {
        guard seconds > 0 else { return }
        remembered = remembered.filter { $0.value.expires > now }
        if remembered.count >= limits.locations, let first = remembered.min(by: { $0.value.expires < $1.value.expires })
        {
            remembered[first.key] = nil
        }
        let expires = now + min(.seconds(Int64(seconds)), limits.lifetime)
        remembered[request] = Remembered(servers: servers, expires: expires)
    }
}
