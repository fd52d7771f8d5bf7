import EngineKit
import Proofs
import SIPMessages
import Testing

@testable import SIPUserAgent

/// Several registrars, flows, routes and GRUUs: what a registration is beside its time.
@Suite struct RegistrationServiceTests {
    private let now = Instant.zero
    private let contact = SIPURI(user: "alice", host: .address(.v4(0xc000_0209)), port: 5060)
    private static let instance = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"

    private func registration(
        flow: Int = 0, instance: String? = instance, seed: UInt64 = 1,
        _ change: (inout Account) throws -> Void = { _ in }
    ) throws -> Registration {
        var account = Account(
            id: AccountID(rawValue: 7), name: "home", address: try NameAddress(parsing: "<sip:alice@example.com>"),
            registrar: try URI(parsing: "sip:example.com"),
            credentials: AccountCredentials(username: "alice", password: Secret("wonderland")))
        account.usesGRUU = true
        try change(&account)
        guard
            let made = Registration(account: account, flow: flow, instance: instance, random: RandomSource(seed: seed))
        else { throw NoFlow() }
        return made
    }

    private struct NoFlow: Error {}

    private func answer(
        _ step: Registration.Step, _ status: StatusCode, _ fields: [(HeaderName, String)] = []
    ) throws -> Response {
        var response = try #require(step.request).response(status)
        for (name, value) in fields { try response.headers.append(name, value) }
        return response
    }

    // MARK: - Failover

    private func twoRegistrars(seed: UInt64 = 1) throws -> Registration {
        try registration(seed: seed) { account in
            account.registrar = try URI(parsing: "sip:one.example.com")
            account.furtherRegistrars = [try URI(parsing: "sip:two.example.com")]
        }
    }

    @Test(.proves(.row(39), .row(37)), arguments: [nil, 408, 500, 503, 504] as [StatusCode?])
    func asksTheNextRegistrarAtOnceWhereOneFails(status: StatusCode?) throws {
        var registration = try twoRegistrars()
        let first = registration.begin(contact: contact, at: now)
        #expect(first.request?.uri.description == "sip:one.example.com")
        let second =
            try status.map { registration.receive(try answer(first, $0), at: now) }
            ?? registration.unanswered("no response", at: now)
        #expect(second.request?.uri.description == "sip:two.example.com" && second.state == nil)
        #expect(registration.receive(try answer(second, 200), at: now).state == .registered(expires: 3600))
        // The one that serves is kept.
        let refresh = registration.handleDeadline(at: try #require(registration.deadline))
        #expect(refresh.request?.uri.description == "sip:two.example.com")
    }

    @Test(arguments: [403, 404, 600] as [StatusCode])
    func asksNobodyElseWhereTheAnswerIsMeant(status: StatusCode) throws {
        var registration = try twoRegistrars()
        let step = registration.receive(try answer(registration.begin(contact: contact, at: now), status), at: now)
        guard case .failed(status, _, _?)? = step.state else {
            Issue.record("\(step)")
            return
        }
        #expect(step.request == nil)
    }

    @Test(.proves(.row(39), .clause("RFC 3261 §20.33")))
    func waitsOnceAllRegistrarsHaveFailed() throws {
        for seed in 1...20 {
            var registration = try twoRegistrars(seed: UInt64(seed))
            let first = registration.begin(contact: contact, at: now)
            let second = registration.receive(try answer(first, 503), at: now)
            let end = registration.receive(try answer(second, 503, [(.retryAfter, "100")]), at: now)
            guard case .failed(503, _, let wait?)? = end.state else {
                Issue.record("\(end)")
                return
            }
            #expect(wait >= .seconds(100) && wait <= .seconds(110) && end.request == nil)
        }
    }

    /// A registrar whose name is not found has no Contact yet; the next one's way is asked for.
    @Test func looksForTheNextRegistrarWhereTheNameOfOneIsUnknown() throws {
        var registration = try twoRegistrars()
        let step = registration.unlocated(.notSIP(scheme: "x"), at: now)
        #expect(step.locates && step.state == nil)
        #expect(registration.way.registrar.description == "sip:two.example.com")
        guard case .failed? = registration.unlocated(.notSIP(scheme: "x"), at: now).state else {
            Issue.record("both are unknown")
            return
        }
    }

    /// An hour of answers of one kind: no more than the back-off allows, never two in a moment (ROBUSTNESS row 39).
    @Test(
        .proves(.row(39), .clause("RFC 5626 §4.5")),
        arguments: [403, 423, 480, 486, 500, 503, 504, 600] as [StatusCode])
    func neverAsksInATightLoop(status: StatusCode) throws {
        for seed in 1...20 {
            var registration = try twoRegistrars(seed: UInt64(seed))
            var step = registration.begin(contact: contact, at: now)
            var (time, requests, atThisTime) = (now, 0, 0)
            while time < now + .seconds(3600) {
                if step.request != nil {
                    requests += 1
                    atThisTime += 1
                    #expect(atThisTime <= 2)
                    step = registration.receive(try answer(step, status, [(.retryAfter, "0")]), at: time)
                } else {
                    let next = try #require(registration.deadline)
                    #expect(next - time >= .seconds(30))
                    (time, atThisTime) = (next, 0)
                    step = registration.handleDeadline(at: time)
                }
            }
            #expect(requests <= 20)
        }
    }

    // MARK: - Redirection

    @Test(.proves(.row(31), .clause("RFC 3261 §21.3.4")))
    func followsARedirectionWithinTheRegistrarsDomain() throws {
        var registration = try registration()
        let first = registration.begin(contact: contact, at: now)
        let moved = registration.receive(
            try answer(first, 302, [(.contact, "<sip:alice@west.example.com>")]), at: now)
        #expect(moved.request?.uri.description == "sip:west.example.com")
        let proxied = registration.receive(
            try answer(moved, 305, [(.contact, "<sip:edge.west.example.com;lr>")]), at: now)
        #expect(proxied.request?.uri.description == "sip:west.example.com")
        #expect(registration.way.proxy?.description == "sip:edge.west.example.com;lr")
        #expect(registration.receive(try answer(proxied, 200), at: now).state == .registered(expires: 3600))
    }

    @Test(
        .proves(.rule(10), .row(31)),
        arguments: ["<sip:mallory.example>", "<sip:alice@notexample.com>", "<sip:192.0.2.66>", "<tel:+1555>"])
    func followsNoRedirectionOutOfTheDomain(contact other: String) throws {
        var registration = try registration()
        for status in [302, 305] as [StatusCode] {
            let first = registration.begin(contact: contact, at: now)
            let step = registration.receive(try answer(first, status, [(.contact, other)]), at: now)
            guard case .failed(status, _, _?)? = step.state else {
                Issue.record("\(step)")
                return
            }
            #expect(step.request == nil && registration.redirection == nil)
        }
    }

    // MARK: - Instance, flow and GRUU

    @Test(.proves(.clause("RFC 5626 §4.2.1"), .clause("RFC 3327 §5.1")))
    func tellsItsInstanceAndFlow() throws {
        var registration = try registration()
        let request = try #require(registration.begin(contact: contact, at: now).request)
        let field = try #require(request.headers.first(.contact))
        #expect(field.contains(#"+sip.instance="<\#(Self.instance)>""#) && field.contains("reg-id=1"))
        #expect(try request.headers.first(Supported.self)?.tags == ["path", "gruu", "outbound"])
    }

    @Test func saysNothingOfFlowsWithoutAnInstance() throws {
        var registration = try registration(instance: nil)
        let request = try #require(registration.begin(contact: contact, at: now).request)
        #expect(try request.headers.first(Supported.self)?.tags == ["path"])
        #expect(request.headers.first(.contact) == "<sip:alice@192.0.2.9:5060>")
    }

    @Test(.proves(.clause("RFC 5626 §4.2.1")))
    func asksWithoutFlowsWhereTheFirstHopHasNone() throws {
        for status in [400, 420, 439] as [StatusCode] {
            var registration = try registration()
            let first = registration.begin(contact: contact, at: now)
            let second = registration.receive(try answer(first, status), at: now)
            #expect(second.request?.headers.first(.contact)?.contains("reg-id") == false)
            #expect(try second.request?.headers.first(Supported.self)?.contains("outbound") == false)
            let third = registration.receive(try answer(second, status), at: now)
            #expect(third.request == nil)
        }
    }

    @Test(.proves(.clause("RFC 5626 §4.2.1")))
    func makesOneFlowForEachProxy() throws {
        func account(_ account: inout Account) throws {
            account.outboundProxy = try URI(parsing: "sip:edge1.example.com;lr")
            account.furtherProxies = [try URI(parsing: "sip:edge2.example.com;lr")]
        }
        var second = try registration(flow: 1, account)
        let request = try #require(second.begin(contact: contact, at: now).request)
        #expect(request.headers.first(.contact)?.contains("reg-id=2") == true)
        #expect(second.way.proxy?.description == "sip:edge2.example.com;lr")
        // Without an instance the second proxy only stands in for the first.
        var only = try registration(instance: nil, account)
        #expect(throws: NoFlow.self) { try registration(flow: 2, account) }
        #expect(throws: NoFlow.self) { try registration(flow: 1, instance: nil, account) }
        _ = only.begin(contact: contact, at: now)
        #expect(only.way.proxy?.description == "sip:edge1.example.com;lr")
        _ = only.unanswered("no response", at: now)
        #expect(only.way.proxy?.description == "sip:edge2.example.com;lr")
    }

    /// The answer of RFC 5627 §3.2, with another instance of the same user before ours.
    @Test(.proves(.clause("RFC 5627 §4.2"), .clause("RFC 3608 §6.1")))
    func learnsItsGRUUsAndItsTimeByTheInstance() throws {
        var registration = try registration()
        let first = registration.begin(contact: contact, at: now)
        let gruu = #"pub-gruu="sip:alice@example.com;gr=\#(Self.instance)";temp-gruu="sip:tgruu.7hs@example.com;gr""#
        let response = try answer(
            first, 200,
            [
                (.contact, #"<sip:alice@192.0.2.9>;+sip.instance="<urn:uuid:0>";reg-id=1;expires=60"#),
                (.contact, #"<sip:x@203.0.113.1>;+sip.instance="<\#(Self.instance)>";reg-id=2;expires=70"#),
                (.contact, #"<sip:x@203.0.113.1>;+sip.instance="<\#(Self.instance)>";reg-id=1;expires=1800;\#(gruu)"#),
                (.require, "outbound"), (.flowTimer, "120"),
                (.serviceRoute, "<sip:orig@scscf.example.com;lr>, <sip:b.example.com;lr>"),
            ])
        #expect(registration.receive(response, at: now).state == .registered(expires: 1800))
        #expect(registration.grant.publicGRUU?.description == "sip:alice@example.com;gr=\(Self.instance)")
        #expect(registration.grant.temporaryGRUU?.user == "tgruu.7hs")
        #expect(registration.grant.isOutbound && registration.grant.flowTimer == .seconds(120))
        #expect(
            registration.grant.serviceRoute.map { "\($0.uri)" } == [
                "sip:orig@scscf.example.com;lr", "sip:b.example.com;lr",
            ])
        // Each answer says it anew (RFC 3608 §6.1).
        let refresh = registration.handleDeadline(at: try #require(registration.deadline))
        _ = registration.receive(try answer(refresh, 200), at: now)
        #expect(registration.grant == RegistrationGrant())
    }

    @Test(arguments: ["sip:alice@mallory.example;gr=1", "sip:alice@example.com", "tel:+1555", "not a uri", ""])
    func takesNoGRUUThatIsNotTheAccounts(text: String) throws {
        var registration = try registration()
        let first = registration.begin(contact: contact, at: now)
        let field = #"<sip:alice@192.0.2.9:5060>;expires=60;pub-gruu="\#(text)""#
        _ = registration.receive(try answer(first, 200, [(.contact, field)]), at: now)
        #expect(registration.grant.publicGRUU == nil)
    }

    // MARK: - Time

    /// A hundred thousand refreshes of one registration: requests stay as long as they were, and nothing gathers.
    @Test(.proves(.incident(39)))
    func keepsNothingOfAHundredThousandRefreshes() throws {
        var registration = try registration()
        var step = registration.begin(contact: contact, at: now)
        var time = now
        let size = try #require(step.request).bytes().count
        for _ in 0..<100_000 {
            _ = registration.receive(try answer(step, 200, [(.expires, "600")]), at: time)
            time = try #require(registration.deadline)
            step = registration.handleDeadline(at: time)
        }
        #expect(try #require(step.request).bytes().count <= size + 5)
        #expect(registration.sequence == 100_001)
    }

    @Test(.proves(.row(59)))
    func countsTheTimeOfASleep() throws {
        var registration = try registration()
        let step = registration.begin(contact: contact, at: now)
        _ = registration.receive(try answer(step, 200, [(.expires, "600")]), at: now)
        registration.slept(for: .seconds(700))
        #expect(!registration.isBound(at: now + .seconds(1)))
    }
}
