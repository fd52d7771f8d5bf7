import EngineKit
import SIPMessages
import SIPUserAgent

/// Everything that a seed stands for, spelled out: who is there, what they do when, what goes wrong.
///
/// A plan with any part left out is a plan too, and the rest of it happens as before: that is how a failing one is made
/// small.
package struct Plan: Equatable, Sendable {
    package let seed: UInt64
    package var setting: Setting
    package var conditions: NetworkConditions
    /// The datagrams that meet with a mishap, and no others; nil: what the conditions make of the seed.
    package var mishaps: [DatagramKey: [Mishap]]?
    /// In order of time.
    package var steps: [Step]

    package struct Step: Equatable, Sendable {
        package var at: Instant
        package var what: What
    }

    package enum What: Equatable, Sendable {
        /// The person at a phone, by its place, does something.
        case deed(Int, Deed)
        case fault(Fault)
    }

    /// Somebody of the setting.
    package enum Place: Hashable, Sendable {
        case phone(Int)
        case proxy(Int)
        case rogue(Int)
    }
}

/// What a person does. Calls are known by the number under which their caller placed them, on both sides; who knows
/// nothing of a call does nothing.
package enum Deed: Equatable, Sendable {
    case register
    case unregister
    case call(UInt32, to: Callee, Placing)
    case ring(UInt32)
    /// Early media.
    case progress(UInt32)
    case answer(UInt32)
    case reject(UInt32, StatusCode)
    /// Sends the caller to another phone.
    case redirect(UInt32, to: Int)
    case hangUp(UInt32)
    case hold(UInt32)
    case resume(UInt32)
    case reinvite(UInt32)
    case update(UInt32)
    case options(UInt32, to: Callee)
    /// Asks the peer of a call to call somebody else.
    case transfer(UInt32, to: Callee, subscribes: Bool)
    /// Puts the peers of two calls together.
    case connect(UInt32, with: UInt32)
    /// Sends so many digits to the peer of a call.
    case digits(UInt32, Int)
    /// Writes to the peer of a call.
    case write(UInt32)
    case message(to: Callee)
    /// Wants to be let into the second call, of which it somehow knows the dialog, by calling one of its parties. `knows`
    /// false: it takes the tags for each other.
    case join(UInt32, into: UInt32, to: Callee, knows: Bool)
    /// Sends the peer of a call a request that the call has no use for.
    case ask(UInt32, Method)
    /// The same to somebody, outside any call.
    case inquire(Method, to: Callee)
    /// Begins a subscription, known by its number to whoever made it.
    case subscribe(UInt32, to: Callee, Topic, expires: UInt32)
    case unsubscribe(UInt32)
    /// What those see from now on who watch the person.
    case appear(isOpen: Bool)
    case publish(isOpen: Bool)
    case retract
    case quit

    /// One that no phone knows.
    static let unknownMethod = Method.other("NONSENSE")

    package enum Callee: Hashable, Sendable {
        case phone(Int)
        /// All phones, as the first proxy forks to them.
        case everybody
        case rogue(Int)
    }

    /// What one can be told of.
    package enum Topic: String, Hashable, Sendable {
        case presence, dialog
        case messageSummary = "message-summary"
        case registration = "reg"
    }

    /// How a call is placed.
    package struct Placing: Hashable, Sendable {
        package var transport: Transport?
        package var offersInInvite = true
        package var redirectionLimit = 0
    }

    /// The call that it is about.
    package var call: UInt32? {
        switch self {
        case .call(let call, _, _), .join(let call, _, _, _), .ring(let call), .progress(let call), .answer(let call),
            .reject(let call, _), .redirect(let call, _), .hangUp(let call), .hold(let call), .resume(let call),
            .reinvite(let call), .update(let call), .transfer(let call, _, _), .connect(let call, _),
            .digits(let call, _), .write(let call), .ask(let call, _):
            call
        case .options, .message, .inquire, .subscribe, .unsubscribe, .appear, .publish, .retract, .quit, .register,
            .unregister:
            nil
        }
    }

    package var callee: Callee? {
        switch self {
        case .call(_, let callee, _), .join(_, _, let callee, _), .options(_, let callee), .transfer(_, let callee, _),
            .message(let callee), .inquire(_, let callee), .subscribe(_, let callee, _, _):
            callee
        case .redirect(_, let phone): .phone(phone)
        default: nil
        }
    }
}

/// What goes wrong besides single datagrams.
package enum Fault: Equatable, Sendable {
    /// Every connection of a phone is reset.
    case resets(Int)
    /// Nothing moves on the connections of a phone.
    case stalls(Int, Duration)
    /// A phone's connections end when what it said has arrived.
    case halfCloses(Int)
    /// Nothing gets from one place to the other, or either way.
    case cuts(Plan.Place, Plan.Place, isBothWays: Bool, Duration)
    /// The NAT of a phone forgets.
    case rebinds(Int)
    /// A phone gets another address.
    case moves(Int, to: IPAddress)
    /// A proxy and registrar starts anew.
    case restarts(Int)
    /// The state agent of a domain ends the subscriptions to it, and wants to be asked again.
    case deactivates(Int)
    /// A proxy and registrar answers 503, with that many seconds to wait.
    case refuses(Int, Duration, retryAfter: UInt32)
    case breaksResolver(Int, Outages.ResolverFailure, Duration)
    /// What a phone sends does not even leave.
    case breaksSending(Int, TransmitFailure, Duration)
    /// A rogue begins to trouble a phone.
    case troubles(rogue: Int, phone: Int)

    /// Who is named in it.
    var places: [Plan.Place] {
        switch self {
        case .resets(let phone), .stalls(let phone, _), .halfCloses(let phone), .rebinds(let phone),
            .moves(let phone, _), .breaksResolver(let phone, _, _), .breaksSending(let phone, _, _):
            [.phone(phone)]
        case .cuts(let one, let other, _, _): [one, other]
        case .restarts(let proxy), .deactivates(let proxy), .refuses(let proxy, _, _): [.proxy(proxy)]
        case .troubles(let rogue, let phone): [.rogue(rogue), .phone(phone)]
        }
    }
}
