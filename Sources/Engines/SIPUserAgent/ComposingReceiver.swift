import EngineKit
import EventPackages

/// Whether somebody writes to us, as that one says (RFC 3994 §3.3).
struct ComposingReceiver: Sendable {
    /// Until when it holds; nil: nobody writes.
    private(set) var deadline: Instant?

    /// What holds where the sender does not say, and the most that is believed, in seconds.
    static let lifetime: UInt32 = 120
    static let longest: UInt32 = 600

    /// Takes a status; false where it says nothing new.
    mutating func receive(_ state: ComposingState, at now: Instant) -> Bool {
        let before = deadline != nil
        let seconds = min(max(state.refresh ?? Self.lifetime, 1), Self.longest)
        deadline = state.isActive ? now + .seconds(Int64(seconds)) : nil
        return before != state.isActive
    }

    /// Nothing was heard for too long, or the message came.
    mutating func end() { deadline = nil }
}
