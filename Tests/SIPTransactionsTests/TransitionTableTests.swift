import EngineKit
import Proofs
import SIPMessages
import Testing

@testable import SIPTransactions

/// The four machines as tables: from every state, with every event, to which state (RFC 3261 §17 and RFC 6026). Each
/// line is taken, on both kinds of transport where they differ, and there are no others.
@Suite struct TransitionTableTests {
    private static let start = Instant.zero
    private static let never = Instant.zero + .seconds(1000)

    /// A table: in each row a state, then the state that each event leads to, in the order of the events.
    private static func expected(_ table: String, _ events: [String]) -> [String] {
        table.split(separator: "\n").flatMap { line -> [String] in
            let words = line.split(separator: " ").map(String.init)
            guard words.count == events.count + 1 else { return ["a row of \(words.count) words: \(line)"] }
            return zip(events, words.dropFirst()).map { "\(words[0]), \($0): \($1)" }
        }
    }

    private static func taken<Machine>(
        _ states: [(String, Machine)], _ events: [(String, (inout Machine) -> Void)], name: (Machine) -> String
    ) -> [String] {
        states.flatMap { state, machine in
            events.map { event, apply in
                var machine = machine
                apply(&machine)
                return "\(state), \(event): \(name(machine))"
            }
        }
    }

    // MARK: - INVITE client

    private static let inviteClientTables = [
        // Completed is passed over where nothing is lost (timer D is 0).
        false: """
        calling       proceeding    accepted  completed  calling       terminated  terminated  calling
        proceeding    proceeding    accepted  completed  proceeding    proceeding  terminated  cancelled
        cancelled     cancelled     accepted  completed  cancelled     terminated  terminated  cancelled
        completed     completed     completed completed  completed     terminated  terminated  completed
        accepted      accepted      accepted  accepted   accepted      terminated  accepted    accepted
        terminated    terminated    terminated terminated terminated   terminated  terminated  terminated
        """,
        true: """
        calling       proceeding    accepted  terminated calling       terminated  terminated  calling
        proceeding    proceeding    accepted  terminated proceeding    proceeding  terminated  cancelled
        cancelled     cancelled     accepted  terminated cancelled     terminated  terminated  cancelled
        accepted      accepted      accepted  accepted   accepted      terminated  accepted    accepted
        terminated    terminated    terminated terminated terminated   terminated  terminated  terminated
        """,
    ]

    @Test(
        .proves(.row(13), .row(16), .row(17), .clause("RFC 3261 §17.1.1"), .clause("RFC 6026 §7.2")),
        arguments: [false, true])
    func inviteClientTakesEachTransitionOfItsTable(isReliable: Bool) throws {
        let invite = try request("INVITE", transport: isReliable ? "TCP" : "UDP")
        typealias Machine = InviteClientTransaction
        let calling = Machine(
            invite, bytes: invite.bytes(), isReliable: isReliable, timers: .standard, at: Self.start)
        func after(_ status: StatusCode, _ machine: Machine) -> Machine {
            var machine = machine
            _ = machine.receive(invite.response(status, toTag: "b"), at: Self.start)
            return machine
        }
        let proceeding = after(180, calling)
        var cancelled = proceeding
        cancelled.cancel(at: Self.start)
        var terminated = calling
        _ = terminated.transportFailed()
        var states = [
            ("calling", calling), ("proceeding", proceeding), ("cancelled", cancelled),
            ("completed", after(486, proceeding)), ("accepted", after(200, proceeding)), ("terminated", terminated),
        ]
        if isReliable { states.removeAll { $0.0 == "completed" } }
        func receives(_ status: StatusCode) -> (inout Machine) -> Void {
            { _ = $0.receive(invite.response(status, toTag: "b"), at: Self.start) }
        }
        let events: [(String, (inout Machine) -> Void)] = [
            ("1xx", receives(180)), ("2xx", receives(200)), ("refusal", receives(486)),
            (
                "first deadline",
                { machine in
                    // Retransmission, where there is one; else nothing is due yet.
                    let due = isReliable ? Self.start : Self.start + .milliseconds(500)
                    _ = machine.handleDeadline(at: due)
                }
            ),
            ("last deadline", { _ = $0.handleDeadline(at: Self.never) }),
            ("transport failure", { _ = $0.transportFailed() }), ("cancel", { $0.cancel(at: Self.start) }),
        ]
        let taken = Self.taken(states, events) { machine in
            switch machine.state {
            case .calling: "calling"
            case .proceeding(_, nil): "proceeding"
            case .proceeding: "cancelled"
            case .completed: "completed"
            case .accepted: "accepted"
            case .terminated: "terminated"
            }
        }
        #expect(taken == Self.expected(try #require(Self.inviteClientTables[isReliable]), events.map(\.0)))
    }

    // MARK: - INVITE server

    private static let inviteServerTables = [
        false: """
        silent      silent      answered   accepted   completed  silent      answered    answered
        answered    answered    answered   accepted   completed  answered    answered    answered
        completed   confirmed   completed  completed  completed  completed   terminated  completed
        confirmed   confirmed   confirmed  confirmed  confirmed  confirmed   terminated  confirmed
        accepted    accepted    accepted   accepted   accepted   accepted    terminated  accepted
        terminated  terminated  terminated terminated terminated terminated  terminated  terminated
        """,
        // Confirmed is passed over where nothing is lost (timer I is 0).
        true: """
        silent      silent      answered   accepted   completed  silent      answered    answered
        answered    answered    answered   accepted   completed  answered    answered    answered
        completed   terminated  completed  completed  completed  completed   terminated  completed
        accepted    accepted    accepted   accepted   accepted   accepted    terminated  accepted
        terminated  terminated  terminated terminated terminated terminated  terminated  terminated
        """,
    ]

    @Test(
        .proves(.row(13), .row(15), .row(16), .clause("RFC 3261 §17.2.1"), .clause("RFC 6026 §7.1")),
        arguments: [false, true])
    func inviteServerTakesEachTransitionOfItsTable(isReliable: Bool) throws {
        let invite = try request("INVITE", transport: isReliable ? "TCP" : "UDP")
        typealias Machine = InviteServerTransaction
        let silent = Machine(invite, isReliable: isReliable, timers: .standard, at: Self.start)
        func after(_ status: StatusCode) -> Machine {
            var machine = silent
            _ = machine.respond(invite.response(status, toTag: "b"), at: Self.start)
            return machine
        }
        var confirmed = after(486)
        _ = confirmed.receiveAcknowledgement(at: Self.start)
        var terminated = after(486)
        _ = terminated.handleDeadline(at: Self.never)
        var states = [
            ("silent", silent), ("answered", after(180)), ("completed", after(486)), ("confirmed", confirmed),
            ("accepted", after(200)), ("terminated", terminated),
        ]
        if isReliable { states.removeAll { $0.0 == "confirmed" } }
        func responds(_ status: StatusCode) -> (inout Machine) -> Void {
            { _ = $0.respond(invite.response(status, toTag: "b"), at: Self.start) }
        }
        let events: [(String, (inout Machine) -> Void)] = [
            ("ACK", { _ = $0.receiveAcknowledgement(at: Self.start) }), ("1xx", responds(180)), ("2xx", responds(200)),
            ("refusal", responds(486)), ("nothing due", { _ = $0.handleDeadline(at: Self.start) }),
            ("last deadline", { _ = $0.handleDeadline(at: Self.never) }),
            ("INVITE again", { _ = $0.receiveRetransmission() }),
        ]
        let taken = Self.taken(states, events) { machine in
            switch machine.state {
            case .proceeding(.silent): "silent"
            case .proceeding(.answered): "answered"
            case .completed: "completed"
            case .confirmed: "confirmed"
            case .accepted: "accepted"
            case .terminated: "terminated"
            }
        }
        #expect(taken == Self.expected(try #require(Self.inviteServerTables[isReliable]), events.map(\.0)))
    }

    // MARK: - The others

    private static let nonInviteClientTables = [
        false: """
        trying      proceeding  completed   trying      terminated  terminated
        proceeding  proceeding  completed   proceeding  terminated  terminated
        completed   completed   completed   completed   terminated  completed
        terminated  terminated  terminated  terminated  terminated  terminated
        """,
        // Completed is passed over where nothing is lost (timers J and K are 0).
        true: """
        trying      proceeding  terminated  trying      terminated  terminated
        proceeding  proceeding  terminated  proceeding  terminated  terminated
        terminated  terminated  terminated  terminated  terminated  terminated
        """,
    ]

    @Test(.proves(.row(17), .clause("RFC 3261 §17.1.2.2")), arguments: [false, true])
    func nonInviteClientTakesEachTransitionOfItsTable(isReliable: Bool) throws {
        let options = try request("OPTIONS", transport: isReliable ? "TCP" : "UDP")
        typealias Machine = NonInviteClientTransaction
        let trying = Machine(bytes: options.bytes(), isReliable: isReliable, timers: .standard, at: Self.start)
        func after(_ status: StatusCode) -> Machine {
            var machine = trying
            _ = machine.receive(options.response(status, toTag: "b"), at: Self.start)
            return machine
        }
        var terminated = trying
        _ = terminated.transportFailed()
        var states = [
            ("trying", trying), ("proceeding", after(100)), ("completed", after(200)), ("terminated", terminated),
        ]
        if isReliable { states.removeAll { $0.0 == "completed" } }
        func receives(_ status: StatusCode) -> (inout Machine) -> Void {
            { _ = $0.receive(options.response(status, toTag: "b"), at: Self.start) }
        }
        let events: [(String, (inout Machine) -> Void)] = [
            ("1xx", receives(100)), ("final", receives(200)),
            (
                "first deadline",
                { machine in
                    let due = isReliable ? Self.start : Self.start + .milliseconds(500)
                    _ = machine.handleDeadline(at: due)
                }
            ),
            ("last deadline", { _ = $0.handleDeadline(at: Self.never) }),
            ("transport failure", { _ = $0.transportFailed() }),
        ]
        let taken = Self.taken(states, events) { machine in
            switch machine.state {
            case .trying: "trying"
            case .proceeding: "proceeding"
            case .completed: "completed"
            case .terminated: "terminated"
            }
        }
        #expect(taken == Self.expected(try #require(Self.nonInviteClientTables[isReliable]), events.map(\.0)))
    }

    private static let nonInviteServerTables = [
        false: """
        trying      proceeding  completed   trying      terminated  trying
        proceeding  proceeding  completed   proceeding  terminated  terminated
        completed   completed   completed   completed   terminated  terminated
        terminated  terminated  terminated  terminated  terminated  terminated
        """,
        true: """
        trying      proceeding  terminated  trying      terminated  trying
        proceeding  proceeding  terminated  proceeding  terminated  terminated
        terminated  terminated  terminated  terminated  terminated  terminated
        """,
    ]

    @Test(.proves(.row(17), .clause("RFC 3261 §17.2.2")), arguments: [false, true])
    func nonInviteServerTakesEachTransitionOfItsTable(isReliable: Bool) throws {
        let options = try request("OPTIONS", transport: isReliable ? "TCP" : "UDP")
        typealias Machine = NonInviteServerTransaction
        let trying = Machine(isReliable: isReliable, timers: .standard, at: Self.start)
        func after(_ status: StatusCode) -> Machine {
            var machine = trying
            _ = machine.respond(options.response(status, toTag: "b"), at: Self.start)
            return machine
        }
        var terminated = trying
        terminated.handleDeadline(at: Self.never)
        var states = [
            ("trying", trying), ("proceeding", after(100)), ("completed", after(200)), ("terminated", terminated),
        ]
        if isReliable { states.removeAll { $0.0 == "completed" } }
        func responds(_ status: StatusCode) -> (inout Machine) -> Void {
            { _ = $0.respond(options.response(status, toTag: "b"), at: Self.start) }
        }
        let events: [(String, (inout Machine) -> Void)] = [
            ("1xx", responds(100)), ("final", responds(200)),
            ("nothing due", { $0.handleDeadline(at: Self.start) }),
            ("last deadline", { $0.handleDeadline(at: Self.never) }),
            ("transport failure", { _ = $0.transportFailed() }),
        ]
        let taken = Self.taken(states, events) { machine in
            switch machine.state {
            case .trying: "trying"
            case .proceeding: "proceeding"
            case .completed: "completed"
            case .terminated: "terminated"
            }
        }
        #expect(taken == Self.expected(try #require(Self.nonInviteServerTables[isReliable]), events.map(\.0)))
    }
}
