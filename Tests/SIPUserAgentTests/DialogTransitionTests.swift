import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import Testing

@testable import SIPUserAgent

/// The life of a call as a table (RFC 3261 §12, §13, §15): from every state, with everything that may happen, to which
/// state. Each line is taken, in both roles, and there are no others.
@Suite struct DialogTransitionTests {
    /// What may happen, by name.
    private typealias Happening = (name: String, act: (inout World) throws -> Void)

    private static func taken(
        _ states: [(String, () throws -> World)], _ happenings: [Happening], of name: String
    ) throws -> [String] {
        try states.flatMap { state, make in
            var line = state
            for happening in happenings {
                var world = try make()
                #expect(Self.state(of: name, in: world) == state)
                try happening.act(&world)
                world.run(for: .milliseconds(30))
                line += " " + Self.state(of: name, in: world)
            }
            return [line]
        }
    }

    /// How far the one call of a user agent is; one that it has forgotten is over.
    private static func state(of name: String, in world: World) -> String {
        guard let session = world.cores[name]?.sessions.values.first?.value else { return "ended" }
        switch session.phase {
        case .calling: return session.invitation?.earlyDialogs.isEmpty ?? true ? "calling" : "early"
        case .alerting: return "alerting"
        case .accepted: return "accepted"
        case .confirmed: return "confirmed"
        case .ended: return "ended"
        }
    }

    private static func rows(_ table: String) -> [String] {
        table.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    }

    // MARK: - Caller

    /// A call of Alice's to Carol, who answers nothing, 180, 200, or 200 and then BYE.
    private static func calling(_ statuses: StatusCode...) throws -> World {
        var world = World()
        let invite = try world.aliceCallsCarol()
        for status in statuses { try answer(status, to: invite, in: &world) }
        return world
    }

    private static func answer(_ status: StatusCode, to invite: Request, in world: inout World) throws {
        try world.reply(
            status, to: invite, from: "carol", contact: status.value < 300 ? carolContact : nil,
            body: status.isSuccess ? World.answerText : nil)
    }

    private static func answers(_ status: StatusCode) -> Happening {
        (
            "\(status)",
            { world in try answer(status, to: #require(world.requests(.invite, from: "alice").first), in: &world) }
        )
    }

    /// Carol says BYE in the dialog that her answers made.
    private static func sayBye(_ world: inout World) throws {
        let invite = try #require(world.requests(.invite, from: "alice").first)
        var bye = try world.request(
            .bye, from: "carol", to: "alice", callID: invite.callID, sequence: 7, fromTag: "peer",
            toTag: invite.from.tag)
        bye.headers = Headers()
        world.send(.request(bye), from: "carol", to: "alice")
    }

    @Test(.proves(.row(2), .row(8), .row(56), .clause("RFC 3261 §12.3"), .clause("RFC 3261 §13.2.2")))
    func callerTakesEachTransitionOfItsTable() throws {
        let states: [(String, () throws -> World)] = [
            ("calling", { try Self.calling() }), ("early", { try Self.calling(180) }),
            ("confirmed", { try Self.calling(180, 200) }), ("ended", { try Self.calling(180, 486) }),
        ]
        let happenings = [
            Self.answers(180), Self.answers(200), Self.answers(486),
            ("hung up", { world in world.perform(.hangUp(caller), by: "alice") }),
            ("BYE", { world in try Self.sayBye(&world) }),
            ("silence", { world in world.run(for: .seconds(40)) }),
            (
                "no way",
                { world in
                    let flow = Flow(
                        transport: .udp, local: try #require(world.addresses["alice"]),
                        remote: try #require(world.addresses["carol"]))
                    world.receive(.transmitFailed(flow, cause: nil, .hostUnreachable), by: "alice")
                }
            ),
        ]
        // A caller that hangs up is done with the call at once; the CANCEL that it owes waits for a response (§9.1). A BYE
        // that comes too early, which a callee must not send (§15), ends its early dialog and not the INVITE. Once there
        // was an answer nothing of ours is on its way that could fail.
        let taken = try Self.taken(states, happenings, of: "alice")
        #expect(
            taken
                == Self.rows(
                    """
                    calling    early      confirmed  ended      ended  calling    ended      ended
                    early      early      confirmed  ended      ended  calling    early      early
                    confirmed  confirmed  confirmed  confirmed  ended  ended      confirmed  confirmed
                    ended      ended      ended      ended      ended  ended      ended      ended
                    """))
    }

    // MARK: - Callee

    /// A call of Carol's to Bob, which he lets ring, answers, or answers and has acknowledged.
    private static func called(answers: Bool = false, acknowledged: Bool = false) throws -> World {
        var world = World()
        let (invite, handle) = try world.carolCallsBob()
        guard answers else { return world }
        world.perform(.answer(handle, World.media), by: "bob")
        world.run(for: .milliseconds(20))
        if acknowledged { try acknowledge(invite, in: &world) }
        return world
    }

    private static func acknowledge(_ invite: Request, in world: inout World) throws {
        var answer = invite.response(200)
        answer.to.tag = world.received(200, at: "carol").first?.to.tag
        world.acknowledge(answer, of: invite, from: "carol", to: "bob")
    }

    /// A request of Carol's about her INVITE: in its transaction, or in the dialog that Bob's answers made.
    private static func says(_ method: SIPMessages.Method, inDialog: Bool) -> Happening {
        (
            method.name,
            { world in
                let invite = try world.request(.invite, from: "carol", to: "bob")
                guard inDialog else { return world.send(.request(invite.bare(method)), from: "carol", to: "bob") }
                let tag = world.mailbox["carol"]?.compactMap(\.to.tag).first
                let request = try world.request(method, from: "carol", to: "bob", sequence: 2, toTag: tag)
                world.send(.request(request), from: "carol", to: "bob")
            }
        )
    }

    private static func does(_ name: String, _ command: @escaping (CallHandle) -> Command) -> Happening {
        (name, { world in world.perform(command(try #require(world.incoming(at: "bob"))), by: "bob") })
    }

    @Test(.proves(.row(5), .row(8), .row(9), .row(56), .clause("RFC 3261 §12.3"), .clause("RFC 3261 §15")))
    func calleeTakesEachTransitionOfItsTable() throws {
        let states: [(String, () throws -> World)] = [
            (
                "alerting",
                {
                    var world = try Self.called()
                    world.perform(.ring(try #require(world.incoming(at: "bob"))), by: "bob")
                    world.run(for: .milliseconds(20))
                    return world
                }
            ),
            ("accepted", { try Self.called(answers: true) }),
            ("confirmed", { try Self.called(answers: true, acknowledged: true) }),
            (
                "ended",
                {
                    var world = try Self.called()
                    world.perform(.reject(try #require(world.incoming(at: "bob")), 486), by: "bob")
                    world.run(for: .milliseconds(20))
                    return world
                }
            ),
        ]
        let happenings = [
            Self.does("rung") { .ring($0) }, Self.does("answered") { .answer($0, World.media) },
            Self.does("refused") { .reject($0, 486) }, Self.does("hung up") { .hangUp($0) },
            Self.says(.cancel, inDialog: false),
            (
                "ACK",
                { world in try Self.acknowledge(try world.request(.invite, from: "carol", to: "bob"), in: &world) }
            ),
            Self.says(.bye, inDialog: true), ("silence", { world in world.run(for: .seconds(40)) }),
        ]
        // Who hangs up before the ACK is done with the call; the BYE that it owes waits for the ACK (§15).
        let taken = try Self.taken(states, happenings, of: "bob")
        #expect(
            taken
                == Self.rows(
                    """
                    alerting   alerting   accepted   ended      ended  ended      alerting   ended  alerting
                    accepted   accepted   accepted   accepted   ended  accepted   confirmed  ended  ended
                    confirmed  confirmed  confirmed  confirmed  ended  confirmed  confirmed  ended  confirmed
                    ended      ended      ended      ended      ended  ended      ended      ended  ended
                    """))
    }
}
