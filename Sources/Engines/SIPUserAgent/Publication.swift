import EngineKit
import EventPackages
import SIPMessages
import SIPTransactions

/// How the publication of an account's presence stands (RFC 3903).
package enum PublicationStatus: Equatable, Sendable {
    /// For so many seconds, after which it is refreshed.
    case published(expires: UInt32)
    case removed
    /// Refused, or without an answer (no status); tried again after that time, nil: not by itself.
    case failed(StatusCode?, reason: String, retryAfter: Duration?)
}

/// What one account has published of its presence, under the entity tag that the compositor gave it (RFC 3903 §4).
struct Publication: Sendable {
    struct Step: Sendable {
        var request: Request?
        var status: PublicationStatus?
    }

    private enum Sent: Sendable { case whole, refresh, removal }

    let account: Account
    static let wishedExpires: UInt32 = 3600

    private var random: RandomSource
    private let callID: String
    private var sequence: UInt32 = 0
    /// What the user wants others to know; nil: nothing, or it was refused for good.
    private var own: OwnPresence?
    /// The document that says so.
    private var wish: PresenceDocument?
    /// Whether the compositor has another document than the wish.
    private var isDirty = false
    private var entityTag: String?
    private var outstanding: Sent?
    private var askedExpires = Publication.wishedExpires
    private var briefIntervals = 0
    private var dueAt: Instant?
    /// No other document before this: the last was just sent.
    private var notBefore = Instant.zero
    private var backoff = RetryBackoff()

    init(account: Account, random: RandomSource) {
        var random = random
        self.account = account
        callID = random.hexadecimal(32)
        self.random = random
    }

    var deadline: Instant? { outstanding == nil ? dueAt : nil }

    /// Whether there is nothing to do and nothing to forget.
    var isIdle: Bool { outstanding == nil && wish == nil && entityTag == nil }

    /// - Parameter isTalking: whether a call is up.
    mutating func publish(_ own: OwnPresence?, isTalking: Bool, at now: Instant) -> Step {
        self.own = own
        let document = own.map { PresenceDocument(of: account, $0, isTalking: isTalking) }
        guard wish != document else { return Step() }
        wish = document
        isDirty = true
        dueAt = nil
        return outstanding == nil ? next(at: now) : Step()
    }

    /// A call begins or ends, which those who may see us are told as well: no more often than watchers are.
    mutating func talk(_ isTalking: Bool, at now: Instant) -> Step {
        guard let own else { return Step() }
        let document = PresenceDocument(of: account, own, isTalking: isTalking)
        guard wish != document else { return Step() }
        wish = document
        isDirty = true
        guard outstanding == nil else { return Step() }
        // What failed waits for its time.
        if let dueAt, entityTag == nil, dueAt > now { return Step() }
        dueAt = max(now, notBefore)
        return handleDeadline(at: now)
    }

    mutating func handleDeadline(at now: Instant) -> Step {
        guard let due = deadline, due <= now else { return Step() }
        dueAt = nil
        return next(at: now)
    }

    /// The request that brings the compositor nearer to the wish: all of it, its tag alone as a refresh, or a removal.
    private mutating func next(at now: Instant) -> Step {
        guard let wish else {
            guard entityTag != nil else { return Step(status: isDirty ? removed() : nil) }
            return Step(request: request(.removal, expires: 0))
        }
        guard isDirty || entityTag == nil else { return Step(request: request(.refresh, expires: askedExpires)) }
        var request = request(.whole, expires: askedExpires)
        request.headers.append(WatchedPackage.presence.contentType)
        request.body = wish.bytes
        notBefore = now + WatchedPackage.presence.interval
        isDirty = false
        return Step(request: request)
    }

    private mutating func removed() -> PublicationStatus {
        isDirty = false
        return .removed
    }

    private mutating func request(_ sent: Sent, expires: UInt32) -> Request {
        outstanding = sent
        sequence += 1
        var from = account.address
        from.tag = random.hexadecimal(16)
        var request = Request(
            method: .publish, uri: account.address.uri.asRequestURI, from: from,
            to: NameAddress(uri: account.address.uri.asParty), callID: callID,
            cSeq: CSeq(number: sequence, method: .publish))
        request.headers.append(EventPackage(WatchedPackage.presence.rawValue))
        request.headers.append(Expires(expires))
        if let entityTag { try? request.headers.append(.sipIfMatch, entityTag) }
        return request
    }

    mutating func reissued(_ request: Request) {
        sequence = request.cSeq.number
    }

    // MARK: - What comes back

    mutating func receive(_ response: Response, at now: Instant) -> Step {
        guard response.status.isFinal, let sent = outstanding else { return Step() }
        outstanding = nil
        switch response.status.value {
        case 200...299: return accepted(response, sent, at: now)
        // The compositor knows no such tag any more: all of it again (§4.1, §4.4).
        case 412:
            guard entityTag != nil else { return stop(response.status, response.reason) }
            entityTag = nil
            isDirty = true
            return next(at: now)
        case 423:
            let least = (try? response.headers.first(MinExpires.self))?.seconds ?? 0
            guard least > askedExpires, least <= 604_800, briefIntervals < 2 else {
                return stop(response.status, response.reason)
            }
            briefIntervals += 1
            askedExpires = least
            isDirty = true
            return next(at: now)
        case 408, 480, 500, 502...504:
            let asked = Duration.seconds(Int64(min(response.retryAfter ?? 0, 86_400)))
            return wait(response.status, response.reason, notBefore: asked, at: now)
        default:
            return stop(response.status, response.reason)
        }
    }

    mutating func fail(_ reason: String, at now: Instant) -> Step {
        outstanding = nil
        return wait(nil, reason, notBefore: .zero, at: now)
    }

    private mutating func accepted(_ response: Response, _ sent: Sent, at now: Instant) -> Step {
        backoff.reset()
        if sent == .removal {
            entityTag = nil
            // Somebody may want to be seen again by now.
            guard wish == nil else { return next(at: now) }
            return Step(status: removed())
        }
        entityTag = response.headers.first(.sipETag)
        // Without a tag nothing can be refreshed, changed or removed: whoever that is, it publishes nothing (§6).
        guard entityTag != nil else { return stop(nil, "\(response.status.value) without SIP-ETag") }
        let granted = (try? response.headers.first(Expires.self))?.seconds ?? askedExpires
        if isDirty {
            dueAt = max(now, notBefore)
            return handleDeadline(at: now)
        }
        let lifetime = Int64(min(max(granted, 1), 604_800))
        dueAt = now + .seconds(max(5, lifetime - (lifetime >= 160 ? max(80, lifetime / 10) : lifetime / 2)))
        return Step(status: sent == .whole ? .published(expires: granted) : nil)
    }

    private mutating func wait(
        _ status: StatusCode?, _ reason: String, notBefore asked: Duration, at now: Instant
    ) -> Step {
        // A removal that fails is let be: what was published expires by itself.
        guard wish != nil else { return forget() }
        let pause = backoff.next(notBefore: asked, random: &random)
        isDirty = true
        dueAt = now + pause
        return Step(status: .failed(status, reason: reason, retryAfter: pause))
    }

    private mutating func stop(_ status: StatusCode?, _ reason: String) -> Step {
        guard wish != nil else { return forget() }
        (own, wish) = (nil, nil)
        entityTag = nil
        isDirty = false
        return Step(status: .failed(status, reason: reason, retryAfter: nil))
    }

    private mutating func forget() -> Step {
        entityTag = nil
        return Step(status: removed())
    }
}

/// Publishing the presence of accounts.
extension UserAgentCore {
    mutating func publish(_ presence: OwnPresence?, of id: AccountID, at now: Instant) {
        guard let account = account(id), shutDown == .no || presence == nil else {
            return emit(.warning(.commandIgnored))
        }
        if publications[id] == nil { publications[id] = Publication(account: account.value, random: random.split()) }
        let isTalking = isTalking(id)
        publish(id, at: now) { $0.publish(presence, isTalking: isTalking, at: now) }
    }

    /// A call of an account has changed.
    mutating func publishCalls(of id: AccountID, at now: Instant) {
        guard publications[id] != nil else { return }
        let isTalking = isTalking(id)
        publish(id, at: now) { $0.talk(isTalking, at: now) }
    }

    mutating func publish(
        _ id: AccountID, at now: Instant, _ body: (inout Publication) -> Publication.Step
    ) {
        guard var publication = publications[id] else { return }
        let step = body(&publication)
        publications[id] = publication.isIdle ? nil : publication
        deadlines.set(.publication(id), at: publication.deadline)
        if let status = step.status { emit(.publication(id, status)) }
        if let request = step.request {
            send(request, for: .publication(id), account: publication.account, along: nil, at: now)
        }
    }
}
