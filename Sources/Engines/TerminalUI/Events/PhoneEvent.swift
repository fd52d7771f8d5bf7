import EngineKit

/// What the app tells the screen. Text from the wire is ``Printable``, which filters it.
package enum PhoneEvent: Hashable, Sendable {
    /// The local time of day at the instant at which this event is received. Sent at start and when it may have jumped.
    case timeOfDay(TimeOfDay)
    /// An account exists, or its description changed.
    case account(AccountDescription)
    case registration(account: Printable, RegistrationState)

    /// We call somebody.
    case outgoingCall(CallReference, account: Printable, peer: Party)
    /// Somebody calls us.
    case incomingCall(CallReference, IncomingCall)
    case progress(CallReference, CallProgress)
    /// The call is established: its clock starts.
    case answered(CallReference)
    /// What was agreed on about media, at first or anew.
    case media(CallReference, MediaSummary)
    case hold(CallReference, HoldState)
    case muted(CallReference, Bool)
    /// Whether its peer hears those of other calls.
    case conference(CallReference, Bool)
    case levels(CallReference, AudioLevels)
    case quality(CallReference, CallQuality)
    case digit(CallReference, Printable, MessageDirection)
    /// The peer of a call asks us to call somebody in its place.
    case transferRequested(CallReference, target: Party)
    /// That is decided, or its time is over.
    case transferSettled(CallReference)
    case ended(CallReference, CallEnd)
    /// One SIP message of a call, for its ladder.
    case sipMessage(CallReference, MessageSummary)

    /// So many new messages wait for an account; 0 for none.
    case messagesWaiting(account: Printable, Int)
    /// Somebody wrote to an account.
    case message(account: Printable, Party, Printable)
    /// Somebody began or stopped to write to us.
    case composing(Party, isActive: Bool)
    /// Somebody in the address book.
    case contact(Party)
    /// Whether somebody, by address, can be reached, and what their phone does.
    case presence(of: Printable, Presence)
    case lamp(of: Printable, BusyLamp)
    /// One line for the log.
    case log(Severity, LogSource, Printable)
    /// Something that the person asked for failed: one sentence of cause, one of cure. Shown at once and logged.
    case failure(cause: Printable, cure: Printable?)
}

/// A call, by the number that the app gave it. The screen numbers its lines on its own.
package struct CallReference: Hashable, Sendable {
    package let rawValue: UInt32

    package init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }
}

/// A local time of day with milliseconds, 0 to 86 399 999 of them.
package struct TimeOfDay: Hashable, Sendable {
    package let milliseconds: Int

    /// Any count is taken modulo one day.
    package init(milliseconds: Int) {
        let day = 86_400_000
        let rest = milliseconds % day
        self.milliseconds = rest < 0 ? rest + day : rest
    }

    package init(hour: Int, minute: Int, second: Int, millisecond: Int = 0) {
        func held(_ value: Int, below bound: Int) -> Int { min(max(value, 0), bound - 1) }
        let seconds = (held(hour, below: 24) * 60 + held(minute, below: 60)) * 60 + held(second, below: 60)
        self.init(milliseconds: seconds * 1000 + held(millisecond, below: 1000))
    }
}

/// An account as the header shows it.
package struct AccountDescription: Hashable, Sendable {
    package var name: Printable
    /// The address of record, or for an account without registrar the address that it listens on.
    package var address: Printable

    package init(name: Printable, address: Printable) {
        self.name = name
        self.address = address
    }
}

package enum RegistrationState: Hashable, Sendable {
    /// The account has no registrar: it is reached by its address.
    case peerToPeer
    case registering
    /// `detail` is what a log line adds: registrar, expiry, round trip.
    case registered(detail: Printable)
    case unregistered
    /// One sentence of cause, one of cure.
    case failed(cause: Printable, cure: Printable?)
}

/// The other side of a call.
package struct Party: Hashable, Sendable {
    package var displayName: Printable?
    /// Without scheme and brackets: `bob@example.com`, `+442079460000`.
    package var address: Printable

    package init(displayName: Printable? = nil, address: Printable) {
        self.displayName = displayName
        self.address = address
    }
}

package struct IncomingCall: Hashable, Sendable {
    package var account: Printable
    package var peer: Party
    /// The element that it came from, as the box shows it after "via".
    package var via: Printable
    package var codecs: [Printable]
    /// How the caller is known, e.g. `address not verified`.
    package var trust: Printable

    package init(account: Printable, peer: Party, via: Printable, codecs: [Printable] = [], trust: Printable = "") {
        self.account = account
        self.peer = peer
        self.via = via
        self.codecs = codecs
        self.trust = trust
    }
}

package enum CallProgress: Hashable, Sendable {
    /// 100 Trying, or sent and nothing heard yet.
    case trying
    /// 180 or another provisional response, with its phrase.
    case ringing(Printable)
    /// The peer's own sound before the answer.
    case earlyMedia
}
