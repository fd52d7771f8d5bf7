import EngineKit

/// What must hold in every simulated world, whatever the network, the servers and strangers do. The numbers are those
/// of Docs/Simulation.md.
package enum Invariant: String, CaseIterable, Sendable {
    /// I1: every call that a phone told of ends, and is told to end once.
    case everyCallEnds
    /// I2: a call that stands on one side stands on the other, and ends there too; ends have the cause that is told.
    case bothSidesAgree
    /// I3: each 2xx that arrives is acknowledged each time, and its dialog ended by BYE.
    case acceptancesAreAcknowledged
    /// I3: a final response of ours is repeated until its ACK, by the table, and not after it.
    case finalResponsesAreRepeated
    /// I4: when all is over nothing is left: no call, no transaction, no question, no deadline.
    case nothingIsLeft
    /// I5: media is agreed on in calls that stand, towards addresses that the peer named, and may leave when the rules
    /// let it.
    case mediaKeepsToTheRules
    /// I6: no password is told to anybody.
    case secretsStaySecret
    /// I7: what an unproven source asks costs a bounded answer.
    case strangersCostLittle
    /// I8: no table is over its limit.
    case tablesAreBounded
    /// I9: CSeq rises, branches and nonce counts are not used twice.
    case numbersAreFresh
    /// I9: requests are repeated at the times of RFC 3261 §17 and no others.
    case requestsAreRepeated
    /// I9: what is told of a call comes in an order that makes sense.
    case eventsAreInOrder
    /// I1: every subscription ends and is told to, on both sides.
    case subscriptionsEnd
    /// I1, I2: every transfer is told of to its end, and what is told is so.
    case transfersAreTold
    /// What a person sends has one answer, and what arrives arrives once and in order.
    case requestsAreAnswered
    /// I10: no offer while another one waits, and the same media on both sides.
    case offersTakeTurns
    /// I11: nobody is heard before the call was taken.
    case nobodyIsHeardUnasked
    /// I12: credentials go to the account's own servers.
    case credentialsGoHome
    /// I13: when nothing goes wrong any more the phone registers and a fresh call works.
    case lifeGoesOn
    /// I14: what a phone sends is a message that it would take itself, and answers what it was asked.
    case messagesAreWellFormed
    /// The world itself: time passes.
    case timePasses
}

/// An invariant that did not hold, when, and how it showed.
package struct Violation: Equatable, Sendable {
    package let invariant: Invariant
    package let at: Instant
    package let text: String
}

extension Violation: CustomStringConvertible {
    package var description: String { "\(invariant.rawValue) at \(Ladder.clock(at)): \(text)" }
}
