import EngineKit
import Proofs
import SIPMessages
import Testing

@testable import SIPUserAgent

/// What an INVITE says of its caller, and what ours say of us.
@Suite struct CallerInformationTests {
    private func information(
        _ headers: [(String, String)], from: String = "<sip:carol@192.0.2.9>;tag=1", isVouchedFor: Bool = true
    ) throws -> CallerInformation {
        let party = try NameAddress(parsing: from)
        var request = Request(
            method: .invite, uri: try URI(parsing: "sip:bob@192.0.2.2"), from: party, to: party, callID: "c",
            cSeq: CSeq(number: 1, method: .invite))
        for (name, value) in headers { try request.headers.append(try #require(HeaderName(name)), value) }
        return CallerInformation(of: request, isVouchedFor: isVouchedFor)
    }

    private static let asserted = ("P-Asserted-Identity", "\"Carol\" <sip:carol@example.com>, <tel:+14155551212>")

    @Test(.proves(.clause("RFC 3325 §9.1")))
    func believesAnIdentityByTheWordOfTheRegistrarAlone() throws {
        let vouched = try information([Self.asserted])
        #expect(vouched.assertedIdentity?.uri.description == "sip:carol@example.com")
        #expect(vouched.assertedIdentity?.displayName == "Carol")
        #expect(try information([Self.asserted], isVouchedFor: false).assertedIdentity == nil)
        let number = try information([("P-Asserted-Identity", "<tel:+14155551212>")])
        #expect(number.assertedIdentity?.uri.description == "tel:+14155551212")
    }

    @Test(
        .proves(.clause("RFC 3323 §4.2"), .clause("RFC 3325 §9.3")),
        arguments: [("id", true), ("header; ID", true), ("critical;user", true), ("none", false), ("session", false)])
    func namesNobodyWhoWantsItKept(privacy: String, isAnonymous: Bool) throws {
        let information = try information([Self.asserted, ("Privacy", privacy)])
        #expect(information.isAnonymous == isAnonymous)
        #expect((information.assertedIdentity == nil) == isAnonymous)
    }

    @Test func knowsAnAnonymousFrom() throws {
        #expect(try information([], from: "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=1").isAnonymous)
        #expect(try !information([], from: "<sip:anonymous@example.com>;tag=1").isAnonymous)
    }

    @Test func readsTheWayThatTheCallTook() throws {
        let information = try information([
            (
                "Diversion",
                "<sip:front@example.com>;reason=no-answer;counter=1, <sip:main@example.com>;reason=unconditional"
            ),
            (
                "History-Info",
                "<sip:main@example.com>;index=1, <sip:bob@example.com?Reason=SIP%3Bcause%3D302>;index=1.1"
            ),
        ])
        #expect(information.diversions.map(\.reason) == ["no-answer", "unconditional"])
        #expect(information.diversions.first?.uri.description == "sip:front@example.com")
        #expect(information.history.map { $0.address.parameters["index"] } == ["1", "1.1"])
    }

    @Test(
        .proves(.rule(2), .clause("RFC 5373 §4")),
        arguments: [
            ("Answer-Mode", "Auto", true), ("Answer-Mode", "auto;require", true), ("Answer-Mode", "Manual", false),
            ("Call-Info", ";answer-after=0", true), ("Call-Info", "<sip:192.0.2.9>;answer-after=0", true),
            ("Call-Info", "<http://x.example/photo.jpg>;purpose=icon, ;answer-after=0", true),
            ("Call-Info", "answer-after=0", true), ("Call-Info", ";answer-after=5", false),
            ("Call-Info", "<http://x.example>;purpose=info", false), ("Alert-Info", "info=alert-autoanswer", true),
            ("Alert-Info", "<http://127.0.0.1>;info=alert-autoanswer;delay=0", true),
            ("Alert-Info", ";info=alert-autoanswer", true), ("Alert-Info", "info=\"alert-autoanswer\"", true),
            ("Alert-Info", "<urn:alert:service:normal>", false), ("Alert-Info", "<", false), ("Call-Info", "=;", false),
            ("Alert-Info", "", false),
        ])
    func readsTheWishToBeAnswered(name: String, value: String, expected: Bool) throws {
        #expect(try information([(name, value)]).wantsAnswer == expected)
    }

    @Test(.proves(.rule(2), .incident(75)))
    func obeysTheWishOfTheTrustedAloneAndOnlyWhereTheAccountSaysSo() throws {
        for (rules, obeys, expected) in [
            (AutomaticAnswerRules.off, true, false), (.standard, true, false),
            (AutomaticAnswerRules(loopback: false, registrarFlows: false, anybody: true), true, true),
            (AutomaticAnswerRules(loopback: false, registrarFlows: false, anybody: true), false, false),
        ] {
            var configuration = World.configuration(user: "bob")
            configuration.automaticAnswer = rules
            configuration.accounts[0].answerWishes = obeys ? .trusted : .ignored
            var world = World()
            _ = try world.carolCallsBob(configuration, headers: [(.answerMode, "Auto")])
            let call = (world.events["bob"] ?? []).lazy.compactMap { event -> IncomingCall? in
                if case .incomingCall(_, let call) = event { call } else { nil }
            }.first
            #expect(call?.isToBeAnsweredAtOnce == expected && call?.information.wantsAnswer == true)
        }
    }

    @Test(
        .proves(.rule(2), .clause("RFC 5373 §4")),
        arguments: [
            ("Auto", CallerTrust.authenticated, Account.AnswerWishPolicy.privileged, true, true),
            ("Auto", .authenticated, .trusted, true, false), ("Auto", .authenticated, .ignored, false, false),
            ("Auto", .loopback, .privileged, true, false), ("Auto", .registrarFlow, .privileged, true, false),
            ("Manual", .authenticated, .privileged, false, false), ("?", .authenticated, .privileged, false, false),
        ])
    func aPrivilegeIsOfThoseWhoProvedWhoTheyAre(
        value: String, trust: CallerTrust, policy: Account.AnswerWishPolicy, isMet: Bool, isPrivileged: Bool
    ) throws {
        let wish = try information([("Priv-Answer-Mode", value), ("Answer-Mode", "Manual")]).answerWish
        #expect(policy.meets(wish, mayAnswerAutomatically: true) == isMet)
        #expect(!policy.meets(wish, mayAnswerAutomatically: false))
        #expect(policy.isPrivileged(wish, of: trust) == isPrivileged)
    }

    @Test(.proves(.rule(2), .clause("RFC 5373 §4")))
    func aWishThatIsRequiredAndNobodyMayMeetIsRefused() throws {
        for (value, isRefused) in [("Auto;require", true), ("Auto", false), ("Manual;require", false)] {
            var world = bobAndCarol()
            let invite = try world.request(
                .invite, from: "carol", to: "bob", body: World.answerText, headers: [(.answerMode, value)])
            world.ask(invite, from: "carol", to: "bob")
            #expect((world.received(403, at: "carol").count == 1) == isRefused, "\(value)")
            #expect((world.incoming(at: "bob") == nil) == isRefused)
        }
    }

    @Test(.proves(.clause("RFC 5373 §4")), arguments: [true, false])
    func theAnswerSaysHowItWasGiven(automatic: Bool) throws {
        var configuration = World.configuration(user: "bob")
        configuration.automaticAnswer = AutomaticAnswerRules(loopback: false, registrarFlows: false, anybody: true)
        var world = World()
        let (_, handle) = try world.carolCallsBob(
            configuration, headers: [(.answerMode, "Auto"), (.supported, "answermode")])
        world.perform(.answer(handle, World.media, automatic: automatic), by: "bob")
        world.run(for: .milliseconds(20))
        #expect(world.received(200, at: "carol").first?.headers.first(.answerMode) == (automatic ? "Auto" : "Manual"))
    }

    // MARK: - Reason

    @Test(
        .proves(.clause("RFC 3326 §2"), .clause("RFC 3326 §3.1")),
        arguments: [
            ("SIP;cause=200;text=\"Call completed elsewhere\"", CallEnd.Cause.answeredElsewhere),
            ("Q.850;cause=26, SIP ;cause=200", .answeredElsewhere), ("SIP;cause=487", .cancelled), ("", .cancelled),
            ("Q.850;cause=200", .cancelled),
        ])
    func whoAnsweredElsewhereMissedNothing(reason: String, cause: CallEnd.Cause) throws {
        var world = World()
        let (invite, _) = try world.carolCallsBob()
        var cancel = invite.bare(.cancel)
        if !reason.isEmpty { try cancel.headers.append(.reason, reason) }
        world.send(.request(cancel), from: "carol", to: "bob")
        world.run(for: .milliseconds(30))
        #expect(world.ends(at: "bob").map(\.cause) == [cause])
        #expect(world.received(487, at: "carol").count == 1)
    }

    // MARK: - Ours

    private func alice(proxy: String?) throws -> UserAgentConfiguration {
        var configuration = World.configuration(user: "alice")
        configuration.accounts = [
            Account(
                id: AccountID(rawValue: 0), name: "alice",
                address: try NameAddress(parsing: "\"Alice\" <sip:alice@example.com>"),
                outboundProxy: try proxy.map { try URI(parsing: $0) }, isAnonymous: true)
        ]
        return configuration
    }

    @Test(.proves(.clause("RFC 3323 §4.1.1.3"), .clause("RFC 3325 §9.2")))
    func anonymousCallTellsTheProxyAndNobodyElse() throws {
        var world = World()
        let invite = try world.aliceCallsCarol(try alice(proxy: "sip:192.0.2.9"))
        #expect(invite.from.uri.description == "sip:anonymous@anonymous.invalid" && invite.from.tag != nil)
        #expect(invite.headers.first(.privacy) == "id")
        #expect(try invite.headers.first(Contact.self)?.uri?.description == "sip:anonymous@192.0.2.1:5060")
        #expect(invite.headers.first(.pPreferredIdentity) == "\"Alice\" <sip:alice@example.com>")
        var direct = World()
        let bare = try direct.aliceCallsCarol(try alice(proxy: nil))
        #expect(!bare.headers.contains(.pPreferredIdentity))
        #expect(!String(decoding: bare.bytes(), as: UTF8.self).lowercased().contains("alice"))
    }

    @Test func anonymousCallStandsAndEnds() throws {
        var world = aliceAndBob(alice: try alice(proxy: nil))
        let handle = try world.talk()
        world.perform(.hangUp(handle), by: "bob")
        world.run(for: .seconds(1))
        #expect(world.ends(at: "alice").map(\.cause) == [.hungUp])
    }
}
