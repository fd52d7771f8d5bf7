import EngineKit
import SIPMessages
import SIPTransactions
import SIPUserAgent
import ServerLocation

/// A party of a simulated world, by its place in it.
package struct HostID: Hashable, Sendable {
    let index: Int
}

/// A message that reached a scripted agent.
package struct Received: Sendable {
    package let message: Message
    /// Seen from the agent: `remote` is who sent the message.
    package let flow: Flow
    package let at: Instant
}

/// What a phone of the world was told, and when.
package struct Notice: Sendable {
    package let at: Instant
    package let event: Event
}

/// What the person or script at a simulated phone does of itself.
package struct Behaviour: Equatable, Sendable {
    /// After how long an incoming call rings; nil: it does not.
    package var ringAfter: Duration?
    /// After how long it is answered; nil: never.
    package var answerAfter: Duration?
    package var isAutomatic: Bool
    /// After how long it is decided whether to call whom the peer wants to be called; nil: never.
    package var decidesTransfersAfter: Duration?
    package var takesTransfers = true
    /// After how long a call is answered that takes the place of another; nil: as any other.
    package var takesReplacementsAfter: Duration?

    package init(ringAfter: Duration? = .zero, answerAfter: Duration? = nil, isAutomatic: Bool = false) {
        self.ringAfter = ringAfter
        self.answerAfter = answerAfter
        self.isAutomatic = isAutomatic
    }

    package static let rings = Behaviour()
    package static let answersAfterOneSecond = Behaviour(answerAfter: .seconds(1))
}

/// One party: a real user agent, or a scripted agent that only keeps what it hears.
struct SimulatedHost {
    let name: String
    var address: SocketAddress
    /// Nil for a scripted agent, and after a phone was switched off.
    var core: UserAgentCore?
    var locator: ServerLocator
    var proxy: Proxy?
    var rogue: Rogue?
    /// The NAT that it is behind, by its place in the world.
    var nat: Int?
    /// When the phone was switched off.
    var offSince: Instant?
    let isPhone: Bool
    var watch = PhoneWatch()
    /// When a message arrived last that can't be read.
    var gotNonsenseAt: Instant?
    var behaviour = Behaviour.rings
    var notices: [Notice] = []
    var inbox: [Received] = []

    init(name: String, address: SocketAddress, core: UserAgentCore? = nil, seed: UInt64 = 0) {
        self.name = name
        self.address = address
        self.core = core
        isPhone = core != nil
        let isV4 = address.address.isV4
        locator = ServerLocator(
            reach: Reach(transports: [.udp, .tcp], hasIPv4: isV4, hasIPv6: !isV4), random: RandomSource(seed: seed))
    }

    /// A rogue hears what is sent to any of its ports.
    func answers(at other: SocketAddress) -> Bool {
        rogue == nil ? address == other : address.address == other.address
    }

    var isOff: Bool { offSince != nil }

    /// When it does something by itself.
    var deadline: Instant? {
        guard isPhone else { return proxy?.deadline ?? rogue?.deadline }
        guard !isOff else { return nil }
        guard let own = core?.deadline, let search = locator.deadline else { return core?.deadline ?? locator.deadline }
        return min(own, search)
    }
}
