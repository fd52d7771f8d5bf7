import EngineKit
import EventPackages

/// What the user's writing to somebody has that one be told (RFC 3994 §3.2):
///
/// ```
///   idle --a key--> active --15 s without a key, or the text given up--> idle
///          "active"   | ^                                        "idle"
///                     | +-- each 2 min while it lasts: "active"
///                     +-- the message is sent, and speaks for itself --> idle
/// ```
struct ComposingSender: Sendable {
    /// How long a person may think before it counts as having stopped.
    static let patience = Duration.seconds(15)
    /// How long what was said holds, in seconds.
    static let refresh: UInt32 = 120
    /// How long it is remembered that the other side does not know what this is about.
    static let memory = Duration.seconds(3600)

    private var idleAt: Instant?
    private var refreshAt: Instant?
    /// The other side refused to be told.
    private var isUnwelcomeUntil: Instant?

    var deadline: Instant? { [idleAt, refreshAt, isUnwelcomeUntil].lazy.compactMap { $0 }.min() }

    /// Whether there is nothing to remember.
    var isFinished: Bool { deadline == nil }

    /// The person pressed a key.
    ///
    /// - Returns: what is to be said, if anything.
    mutating func typed(at now: Instant) -> ComposingState? {
        guard isUnwelcomeUntil == nil else { return nil }
        let isNew = idleAt == nil
        idleAt = now + Self.patience
        return isNew ? active(at: now) : nil
    }

    /// The person gave up what was written.
    mutating func stopped() -> ComposingState? {
        guard idleAt != nil else { return nil }
        return idle()
    }

    /// The message itself is on its way.
    mutating func sent() {
        (idleAt, refreshAt) = (nil, nil)
    }

    mutating func refused(at now: Instant) {
        sent()
        isUnwelcomeUntil = now + Self.memory
    }

    mutating func handleDeadline(at now: Instant) -> ComposingState? {
        if let until = isUnwelcomeUntil, now >= until { isUnwelcomeUntil = nil }
        if let due = idleAt, now >= due { return idle() }
        if let due = refreshAt, now >= due { return active(at: now) }
        return nil
    }

    private mutating func active(at now: Instant) -> ComposingState {
        refreshAt = now + .seconds(Int64(Self.refresh))
        return ComposingState(isActive: true, refresh: Self.refresh, contentType: "text/plain")
    }

    private mutating func idle() -> ComposingState {
        (idleAt, refreshAt) = (nil, nil)
        return ComposingState(isActive: false, contentType: "text/plain")
    }
}
