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

    /// Takes each event in each state.
    ///
    /// - Parameters:
    ///   - tables: what is expected where the transport loses messages, and where it is reliable.
    ///   - brief: the state that is passed over where nothing is lost, as its timer is 0.
    private func expect<Machine>(
        _ tables: (lossy: String, reliable: String), isReliable: Bool, passingOver brief: String,
        _ states: [(String, Machine)], _ events: [(String, (inout Machine) -> Void)], name: (Machine) -> String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let taken = states.filter { !isReliable || $0.0 != brief }.flatMap { state, machine in
            events.map { event, apply in
                var machine = machine
                apply(&machine)
                return "\(state), \(event): \(name(machine))"
            }
        }
        let expected = Self.expected(isReliable ? tables.reliable : tables.lossy, events.map(\.0))
        #expect(taken == expected, sourceLocation: sourceLocation)
    }

    /// The name of a state without what the machine keeps in it.
    private func name(of state: some Any) -> String { String(String(describing: state).prefix { $0 != "(" }) }

    private func request(_ method: String, isReliable: Bool) throws -> Request {
        try SIPTransactionsTests.request(method, transport: isReliable ? "TCP" : "UDP")
    }

    /// When the first retransmission is due, where there is one; else nothing is due yet.
    private func firstDeadline(isReliable: Bool) -> Instant {
        isReliable ? Self.start : Self.start + .milliseconds(500)
    }

    // MARK: - INVITE client

    private static let inviteClientTables = (
        lossy: """
        calling       proceeding    accepted  completed  calling       terminated  terminated  calling
        proceeding    proceeding    accepted  completed  proceeding    proceeding  terminated  cancelled
        cancelled     cancelled     accepted  completed  cancelled     terminated  terminated  cancelled
        completed     completed     completed completed  completed     terminated  terminated  completed
        accepted      accepted      accepted  accepted   accepted      terminated  accepted    accepted
        terminated    terminated    terminated terminated terminated   terminated  terminated  terminated
        """,
        // Timer D is 0 where nothing is lost.
        reliable: """
        calling       proceeding    accepted  terminated calling       terminated  terminated  calling
        proceeding    proceeding    accepted  terminated proceeding    proceeding  terminated  cancelled
        cancelled     cancelled     accepted  terminated cancelled     terminated  terminated  cancelled
        accepted      accepted      accepted  accepted   accepted      terminated  accepted    accepted
        terminated    terminated    terminated terminated terminated   terminated  terminated  terminated
        """
    )

    @Test(
        .proves(.row(13), .row(16), .row(17), .clause("RFC 3261 §17.1.1"), .clause("RFC 6026 §7.2")),
        arguments: [false, true])
    func inviteClientTakesEachTransitionOfItsTable(isReliable: Bool) throws {
        let invite = try request("INVITE", isReliable: isReliable)
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
        let states = [
            ("calling", calling), ("proceeding", proceeding), ("cancelled", cancelled),
            ("completed", after(486, proceeding)), ("accepted", after(200, proceeding)), ("terminated", terminated),
        ]
        let firstDeadline = firstDeadline(isReliable: isReliable)
        func receives(_ status: StatusCode) -> (inout Machine) -> Void {
            { _ = $0.receive(invite.response(status, toTag: "b"), at: Self.start) }
        }
        let events: [(String, (inout Machine) -> Void)] = [
            ("1xx", receives(180)), ("2xx", receives(200)), ("refusal", receives(486)),
            ("first deadline", { _ = $0.handleDeadline(at: firstDeadline) }),
            ("last deadline", { _ = $0.handleDeadline(at: Self.never) }),
            ("transport failure", { _ = $0.transportFailed() }), ("cancel", { $0.cancel(at: Self.start) }),
        ]
        expect(Self.inviteClientTables, isReliable: isReliable, passingOver: "completed", states, events) { machine in
            if case .proceeding(_, .some) = machine.state { "cancelled" } else { name(of: machine.state) }
        }
    }

    // MARK: - INVITE server

    private static let inviteServerTables = (
        lossy: """
        silent      silent      answered   accepted   completed  silent      answered    answered
        answered    answered    answered   accepted   completed  answered    answered    answered
        completed   confirmed   completed  completed  completed  completed   terminated  completed
        confirmed   confirmed   confirmed  confirmed  confirmed  confirmed   terminated  confirmed
        accepted    accepted    accepted   accepted   accepted   accepted    terminated  accepted
        terminated  terminated  terminated terminated terminated terminated  terminated  terminated
        """,
        // Timer I is 0 where nothing is lost.
        reliable: """
        silent      silent      answered   accepted   completed  silent      answered    answered
        answered    answered    answered   accepted   completed  answered    answered    answered
        completed   terminated  completed  completed  completed  completed   terminated  completed
        accepted    accepted    accepted   accepted   accepted   accepted    terminated  accepted
        terminated  terminated  terminated terminated terminated terminated  terminated  terminated
        """
    )

    @Test(
        .proves(.row(13), .row(15), .row(16), .clause("RFC 3261 §17.2.1"), .clause("RFC 6026 §7.1")),
        arguments: [false, true])
    func inviteServerTakesEachTransitionOfItsTable(isReliable: Bool) throws {
        let invite = try request("INVITE", isReliable: isReliable)
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
        let states = [
            ("silent", silent), ("answered", after(180)), ("completed", after(486)), ("confirmed", confirmed),
            ("accepted", after(200)), ("terminated", terminated),
        ]
        func responds(_ status: StatusCode) -> (inout Machine) -> Void {
            { _ = $0.respond(invite.response(status, toTag: "b"), at: Self.start) }
        }
        let events: [(String, (inout Machine) -> Void)] = [
            ("ACK", { _ = $0.receiveAcknowledgement(at: Self.start) }), ("1xx", responds(180)), ("2xx", responds(200)),
            ("refusal", responds(486)), ("nothing due", { _ = $0.handleDeadline(at: Self.start) }),
            ("last deadline", { _ = $0.handleDeadline(at: Self.never) }),
            ("INVITE again", { _ = $0.receiveRetransmission() }),
        ]
        expect(Self.inviteServerTables, isReliable: isReliable, passingOver: "confirmed", states, events) { machine in
            if case .proceeding(let step) = machine.state { name(of: step) } else { name(of: machine.state) }
        }
    }

    // MARK: - The others

    private static let nonInviteClientTables = (
        lossy: """
        trying      proceeding  completed   trying      terminated  terminated
        proceeding  proceeding  completed   proceeding  terminated  terminated
        completed   completed   completed   completed   terminated  completed
        terminated  terminated  terminated  terminated  terminated  terminated
        """,
        // Timer K is 0 where nothing is lost.
        reliable: """
        trying      proceeding  terminated  trying      terminated  terminated
        proceeding  proceeding  terminated  proceeding  terminated  terminated
        terminated  terminated  terminated  terminated  terminated  terminated
        """
    )

    @Test(.proves(.row(17), .clause("RFC 3261 §17.1.2.2")), arguments: [false, true])
    func nonInviteClientTakesEachTransitionOfItsTable(isReliable: Bool) throws {
        let options = try request("OPTIONS", isReliable: isReliable)
        typealias Machine = NonInviteClientTransaction
        let trying = Machine(bytes: options.bytes(), isReliable: isReliable, timers: .standard, at: Self.start)
        func after(_ status: StatusCode) -> Machine {
            var machine = trying
            _ = machine.receive(options.response(status, toTag: "b"), at: Self.start)
            return machine
        }
        var terminated = trying
        _ = terminated.transportFailed()
        let states = [
            ("trying", trying), ("proceeding", after(100)), ("completed", after(200)), ("terminated", terminated),
        ]
        let firstDeadline = firstDeadline(isReliable: isReliable)
        func receives(_ status: StatusCode) -> (inout Machine) -> Void {
            { _ = $0.receive(options.response(status, toTag: "b"), at: Self.start) }
        }
        let events: [(String, (inout Machine) -> Void)] = [
            ("1xx", receives(100)), ("final", receives(200)),
            ("first deadline", { _ = $0.handleDeadline(at: firstDeadline) }),
            ("last deadline", { _ = $0.handleDeadline(at: Self.never) }),
            ("transport failure", { _ = $0.transportFailed() }),
        ]
        expect(Self.nonInviteClientTables, isReliable: isReliable, passingOver: "completed", states, events) {
            name(of: $0.state)
        }
    }

    private static let nonInviteServerTables = (
        lossy: """
        trying      proceeding  completed   trying      terminated  trying
        proceeding  proceeding  completed   proceeding  terminated  terminated
        completed   completed   completed   completed   terminated  terminated
        terminated  terminated  terminated  terminated  terminated  terminated
        """,
        // Timer J is 0 where nothing is lost.
        reliable: """
        trying      proceeding  terminated  trying      terminated  trying
        proceeding  proceeding  terminated  proceeding  terminated  terminated
        terminated  terminated  terminated  terminated  terminated  terminated
        """
    )

    @Test(.proves(.row(17), .clause("RFC 3261 §17.2.2")), arguments: [false, true])
    func nonInviteServerTakesEachTransitionOfItsTable(isReliable: Bool) throws {
        let options = try request("OPTIONS", isReliable: isReliable)
        typealias Machine = NonInviteServerTransaction
        let trying = Machine(isReliable: isReliable, timers: .standard, at: Self.start)
        func after(_ status: StatusCode) -> Machine {
            var machine = trying
            _ = machine.respond(options.response(status, toTag: "b"), at: Self.start)
            return machine
        }
        var terminated = trying
        terminated.handleDeadline(at: Self.never)
        let states = [
            ("trying", trying), ("proceeding", after(100)), ("completed", after(200)), ("terminated", terminated),
        ]
        func responds(_ status: StatusCode) -> (inout Machine) -> Void {
            { _ = $0.respond(options.response(status, toTag: "b"), at: Self.start) }
        }
        let events: [(String, (inout Machine) -> Void)] = [
            ("1xx", responds(100)), ("final", responds(200)),
            ("nothing due", { $0.handleDeadline(at: Self.start) }),
            ("last deadline", { $0.handleDeadline(at: Self.never) }),
            ("transport failure", { _ = $0.transportFailed() }),
        ]
        expect(Self.nonInviteServerTables, isReliable: isReliable, passingOver: "completed", states, events) {
            name(of: $0.state)
        }
    }
}
