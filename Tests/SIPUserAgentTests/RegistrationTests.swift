import EngineKit
import Proofs
import SIPMessages
import Testing

@testable import SIPUserAgent

@Suite struct RegistrationTests {
    var registration: Registration
    var now = Instant.zero
    let contact = SIPURI(user: "alice", host: .address(.v4(0xc000_0209)), port: 5060)

    init() throws {
        registration = try Self.registration()
    }

    private static func registration(seed: UInt64 = 1, expires: UInt32 = 3600) throws -> Registration {
        let account = Account(
            id: AccountID(rawValue: 7), name: "home",
            address: try NameAddress(parsing: "\"Alice\" <sip:alice@example.com>"),
            registrar: try URI(parsing: "sip:someone@example.com"),
            credentials: AccountCredentials(username: "alice", password: Secret("wonderland")), expires: expires)
        return try #require(Registration(account: account, random: RandomSource(seed: seed)))
    }

    /// The next request, answered.
    func answer(
        _ step: Registration.Step, _ status: StatusCode, contacts: [String] = [], _ fields: [HeaderName: String] = [:]
    ) throws -> Response {
        var response = try #require(step.request).response(status)
        for contact in contacts { try response.headers.append(.contact, contact) }
        for (name, value) in fields.sorted(by: { "\($0.key)" < "\($1.key)" }) {
            try response.headers.append(name, value)
        }
        return response
    }

    private static let challenge: [HeaderName: String] = [
        .wwwAuthenticate: "Digest realm=\"example.com\", nonce=\"n1\", qop=\"auth\""
    ]

    // MARK: - Binding

    @Test(.proves(.clause("RFC 3261 §10.2")))
    mutating func asksForItsContactWithoutAUserInTheRequestURI() throws {
        let step = registration.begin(contact: contact, at: now)
        let request = try #require(step.request)
        #expect(step.state == .registering)
        #expect(request.method == .register && request.uri.description == "sip:example.com")
        #expect(request.from.uri == request.to.uri && request.from.tag != nil && request.to.tag == nil)
        #expect(try request.headers.all(Contact.self).map(\.uri) == [.sip(contact)])
        #expect(try request.headers.first(Expires.self)?.seconds == 3600)
        #expect(registration.isBusy && registration.deadline == nil)
        #expect(registration.begin(contact: contact, at: now) == Registration.Step())
    }

    @Test(.proves(.clause("RFC 3261 §10.2.4")))
    mutating func isBoundForTheTimeThatItsOwnContactWasGranted() throws {
        let step = registration.begin(contact: contact, at: now)
        let response = try answer(
            step, 200,
            contacts: ["<sip:alice@198.51.100.1>;expires=60, <sip:alice@192.0.2.9:5060>;expires=1800"],
            [.expires: "3600"])
        #expect(registration.receive(response, at: now).state == .registered(expires: 1800))
        #expect(registration.isBound(at: now + .seconds(1799)))
        #expect(!registration.isBound(at: now + .seconds(1800)))
    }

    @Test(
        .proves(.clause("RFC 3261 §10.2.4")),
        arguments: [
            (["<sip:alice@203.0.113.5:1024>;expires=300"], "600", UInt32(300)),
            (["<sip:bob@203.0.113.5>;expires=300", "<sip:alice@192.0.2.9>"], "600", 600), ([], "600", 600),
            ([], nil, 3600),
        ] as [([String], String?, UInt32)])
    mutating func findsTheGrantedTimeWhereTheContactIsNotAsItWasSent(
        contacts: [String], expires: String?, granted: UInt32
    ) throws {
        let step = registration.begin(contact: contact, at: now)
        let response = try answer(step, 200, contacts: contacts, expires.map { [.expires: $0] } ?? [:])
        #expect(registration.receive(response, at: now).state == .registered(expires: granted))
    }

    /// RFC 3261 §10.3: a 2xx lists all bindings. Where ours is not one of them, no call comes here.
    @Test(
        .proves(.row(39), .clause("RFC 3261 §10.3")),
        arguments: [
            ["<sip:bob@203.0.113.5>;expires=300"], ["<sip:bob@203.0.113.5>", "<sip:carol@203.0.113.6>"],
            ["<tel:+15551234>"], ["<sip:192.0.2.9:5060>;expires=300"],
        ])
    mutating func isNotBoundByAnAnswerThatListsOnlyOthers(contacts: [String]) throws {
        let step = registration.begin(contact: contact, at: now)
        let after = registration.receive(try answer(step, 200, contacts: contacts, [.expires: "600"]), at: now)
        guard case .failed(200, let reason, let wait?) = after.state else {
            Issue.record("\(String(describing: after.state))")
            return
        }
        #expect(reason == "OK: the registrar lists other contacts and not ours")
        #expect(!registration.isBound(at: now) && registration.deadline == now + wait)
        #expect(registration.handleDeadline(at: now + wait).request?.method == .register)
    }

    @Test(
        .proves(.clause("RFC 3261 §10.2.4")),
        arguments: [1, 2, 5, 30, 60, 120, 160, 600, 3600, 86_400, UInt32.max] as [UInt32])
    func refreshesBeforeTheEndAndNeverInATightLoop(granted: UInt32) throws {
        for seed in 1...20 {
            var registration = try Self.registration(seed: UInt64(seed))
            let step = registration.begin(contact: contact, at: now)
            let response = try answer(step, 200, [.expires: "\(granted)"])
            _ = registration.receive(response, at: now)
            let wait = try #require(registration.deadline) - now
            #expect(wait >= .seconds(1))
            #expect(wait <= max(.seconds(1), .seconds(Int64(granted)) - .seconds(granted >= 160 ? 80 : 0)))
            #expect(wait >= .seconds(Int64(granted)) * 0.3)
            #expect(registration.handleDeadline(at: now + wait - .nanoseconds(1)) == Registration.Step())
            let refresh = registration.handleDeadline(at: now + wait)
            #expect(refresh.request?.cSeq.number == 2 && refresh.state == nil)
            #expect(refresh.request?.callID == step.request?.callID)
        }
    }

    @Test(.proves(.row(40), .clause("RFC 3261 §22.2")))
    mutating func authenticatesAndThenRefreshesWithoutBeingAskedAgain() throws {
        let first = registration.begin(contact: contact, at: now)
        let second = registration.receive(try answer(first, 401, Self.challenge), at: now)
        #expect(second.state == nil && second.request?.cSeq.number == 2)
        #expect(second.request?.headers.contains(.authorization) == true)
        #expect(second.request?.from.tag == first.request?.from.tag)
        _ = registration.receive(try answer(second, 200), at: now)
        let deadline = try #require(registration.deadline)
        let refresh = registration.handleDeadline(at: deadline)
        #expect(try refresh.request?.headers.first(Authorization.self)?.nonceCount == 2)
        let stale = try answer(
            refresh, 401,
            [.wwwAuthenticate: "Digest realm=\"example.com\", nonce=\"n2\", qop=\"auth\", stale=true"])
        let again = registration.receive(stale, at: deadline)
        #expect(try again.request?.headers.first(Authorization.self)?.nonce == "n2")
    }

    @Test(.proves(.row(39), .clause("RFC 3261 §10.2.8")))
    mutating func asksForTheRegistrarsLeastTime() throws {
        let first = registration.begin(contact: contact, at: now)
        let second = registration.receive(try answer(first, 423, [.minExpires: "7200"]), at: now)
        #expect(second.state == nil)
        #expect(try second.request?.headers.first(Expires.self)?.seconds == 7200)
        #expect(registration.receive(try answer(second, 200), at: now).state == .registered(expires: 7200))
    }

    @Test(.proves(.row(39), .clause("RFC 3261 §10.2.8")), arguments: [nil, "0", "3600", "604801", "x"] as [String?])
    mutating func takesNoLeastTimeThatMakesNoSense(least: String?) throws {
        let first = registration.begin(contact: contact, at: now)
        let step = registration.receive(
            try answer(first, 423, least.map { [.minExpires: $0] } ?? [:]), at: now)
        #expect(step.request == nil && registration.deadline != nil)
    }

    @Test(.proves(.row(39), .clause("RFC 3261 §10.2.8")))
    mutating func stopsRaisingTheTimeAfterTwice() throws {
        var step = registration.begin(contact: contact, at: now)
        for least in [4000, 5000] {
            step = registration.receive(try answer(step, 423, [.minExpires: "\(least)"]), at: now)
            #expect(step.request != nil)
        }
        #expect(registration.receive(try answer(step, 423, [.minExpires: "6000"]), at: now).request == nil)
    }

    // MARK: - Failing

    @Test(.proves(.row(39), .clause("RFC 5626 §4.5")))
    mutating func backsOffWithJitterUpToHalfAnHour() throws {
        var step = registration.begin(contact: contact, at: now)
        for limit in [60, 120, 240, 480, 960, 1800, 1800, 1800] as [Int64] {
            #expect(step.request != nil)
            step = registration.unanswered("no response", at: now)
            guard case .failed(nil, _, let wait?)? = step.state else {
                Issue.record("no failure reported: \(step)")
                return
            }
            #expect(wait <= .seconds(limit) && wait >= .milliseconds(limit * 500))
            #expect(registration.deadline == now + wait)
            now += wait
            step = registration.handleDeadline(at: now)
            #expect(step.state == .registering)
        }
        _ = registration.receive(try answer(step, 200), at: now)
        now = try #require(registration.deadline)
        _ = registration.handleDeadline(at: now)
        _ = registration.unanswered("no route", at: now)
        #expect(try #require(registration.deadline) - now <= .seconds(60))
    }

    @Test(.proves(.row(39), .clause("RFC 5626 §4.5")))
    func spreadsTheRetriesOfManyPhones() throws {
        var waits: Set<Instant> = []
        for seed in 1...50 {
            var registration = try Self.registration(seed: UInt64(seed))
            _ = registration.begin(contact: contact, at: now)
            _ = registration.unanswered("no response", at: now)
            if let deadline = registration.deadline { waits.insert(deadline) }
        }
        #expect(waits.count == 50)
    }

    @Test(
        .proves(.row(39), .clause("RFC 3261 §20.33")),
        arguments: [(503, "120", 120), (503, "0", 30), (500, "5 (busy);duration=9", 30), (486, "99999999", 86_400)])
    mutating func waitsAtLeastAsLongAsItIsAskedTo(status: Int, retryAfter: String, least: Int64) throws {
        let step = registration.begin(contact: contact, at: now)
        let failed = registration.receive(
            try answer(step, try #require(StatusCode(status)), [.retryAfter: retryAfter]), at: now)
        guard case .failed(let reported?, _, let wait?)? = failed.state else {
            Issue.record("no failure reported: \(failed)")
            return
        }
        #expect(reported.value == status)
        #expect(wait >= .seconds(least) && wait <= .seconds(least + 30))
    }

    @Test(.proves(.row(40), .incident(43)))
    mutating func doesNotTryWrongCredentialsAgain() throws {
        let first = registration.begin(contact: contact, at: now)
        let second = registration.receive(try answer(first, 401, Self.challenge), at: now)
        let end = registration.receive(try answer(second, 401, Self.challenge), at: now)
        guard case .failed(let status?, let reason, nil)? = end.state else {
            Issue.record("no failure reported: \(end)")
            return
        }
        #expect(status == 401 && reason.contains("password") && end.request == nil)
        #expect(registration.deadline == nil && !registration.isBusy)
        // The user may ask anew; a change of address does not.
        #expect(registration.move(to: SIPURI(host: .name("other")), at: now) == Registration.Step())
        #expect(registration.begin(contact: contact, at: now).request != nil)
    }

    @Test mutating func callsATimeOfNothingAFailure() throws {
        let step = registration.begin(contact: contact, at: now)
        let response = try answer(step, 200, contacts: ["<sip:alice@192.0.2.9:5060>;expires=0"])
        guard case .failed? = registration.receive(response, at: now).state else {
            Issue.record("an empty grant passed for a binding")
            return
        }
    }

    @Test mutating func ignoresWhatAnswersNothing() throws {
        let step = registration.begin(contact: contact, at: now)
        #expect(registration.receive(try answer(step, 100), at: now) == Registration.Step())
        var other = try answer(step, 200)
        other.cSeq.number = 99
        #expect(registration.receive(other, at: now) == Registration.Step())
        #expect(registration.isBusy)
        _ = registration.receive(try answer(step, 200), at: now)
        #expect(registration.receive(try answer(step, 200), at: now) == Registration.Step())
        #expect(registration.unanswered("no response", at: now) == Registration.Step())
    }

    // MARK: - Long runs

    /// Twenty thousand rounds, through challenges, failures and silence: never two requests outstanding, never
    /// two within the least wait, CSeq always up.
    @Test(.proves(.row(39), .incident(19), .incident(39)))
    mutating func keepsUpForYearsWithARegistrarThatMisbehaves() throws {
        var random = RandomSource(seed: 39)
        var step = registration.begin(contact: contact, at: now)
        var sequence: UInt32 = 0
        var lastStart = now
        // Only who grants a second is asked each second.
        var leastWait = Duration.seconds(5)
        for round in 0..<20_000 {
            guard let request = step.request else {
                now = try #require(registration.deadline)
                #expect(now - lastStart >= leastWait)
                lastStart = now
                leastWait = .seconds(5)
                step = registration.handleDeadline(at: now)
                continue
            }
            guard request.cSeq.number > sequence else {
                Issue.record("CSeq fell at round \(round)")
                return
            }
            sequence = request.cSeq.number
            switch Int.random(in: 0..<8, using: &random) {
            case 0: step = registration.unanswered("no response", at: now)
            case 1: step = registration.receive(try answer(step, 503, [.retryAfter: "1"]), at: now)
            case 2:
                let nonce = "Digest realm=\"example.com\", nonce=\"\(round)\", qop=\"auth\", stale=true"
                step = registration.receive(try answer(step, 401, [.wwwAuthenticate: nonce]), at: now)
                if case .failed(_, _, nil)? = step.state {
                    step = registration.begin(contact: contact, at: now + .seconds(9))
                }
            case 3:
                step = registration.receive(try answer(step, 200, [.expires: "1"]), at: now)
                leastWait = .seconds(1)
            default: step = registration.receive(try answer(step, 200), at: now)
            }
        }
    }
}
