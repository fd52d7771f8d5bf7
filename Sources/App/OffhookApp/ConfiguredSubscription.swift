import SIPMessages
import SIPUserAgent

/// What an account wants to be told of: `presence:sip:bob@example.com` in the configuration.
package struct ConfiguredSubscription: Hashable, Sendable {
    package var event: String
    package var target: URI

    /// The packages that are understood.
    package static let events = ["presence", "dialog", "message-summary", "reg"]

    /// nil unless an event package that we read, a colon, and a SIP URI or `user@host`.
    package init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        self.init(event: String(text[..<colon]), target: String(text[text.index(after: colon)...]))
    }

    package init?(event: String, target: String) {
        let hasScheme = ["sip:", "sips:"].contains { target.lowercased().hasPrefix($0) }
        guard Self.events.contains(event), hasScheme || target.contains("@"),
            let uri = try? URI(parsing: hasScheme ? target : "sip:\(target)"), uri.sipURI != nil
        else { return nil }
        self.event = event
        self.target = uri
    }
}

/// The subscriptions and publications of the configuration, begun where their account can be reached: a subscription
/// once, a publication again after the registration was removed.
struct StandingSubscriptions: Sendable {
    private var waiting: [(account: AccountID, subscription: ConfiguredSubscription)]
    private var nextHandle: UInt32 = 1 << 16

    /// Those whose presence is to be published, and those whose is.
    private var publishers: [AccountID]
    private var published: [AccountID] = []

    init(
        _ list: [(account: AccountID, subscription: ConfiguredSubscription)] = [], publishers: [AccountID] = []
    ) {
        waiting = list
        self.publishers = publishers
    }

    /// The commands that begin what waits for this account.
    mutating func begin(_ account: AccountID) -> [Command] {
        let due = waiting.filter { $0.account == account }
        waiting.removeAll { $0.account == account }
        let publications: [Command] = publishers.filter { $0 == account }.map { .publish($0, OwnPresence()) }
        published += publishers.filter { $0 == account }
        publishers.removeAll { $0 == account }
        return publications
            + due.map { entry in
                defer { nextHandle += 1 }
                return .subscribe(
                    SubscriptionHandle(rawValue: nextHandle),
                    OutgoingSubscription(
                        account: entry.account, target: entry.subscription.target,
                        event: EventPackage(entry.subscription.event)))
            }
    }

    /// The commands that take back what says that this account can be reached, until it is again.
    mutating func withdraw(_ account: AccountID) -> [Command] {
        guard published.contains(account) else { return [] }
        published.removeAll { $0 == account }
        publishers.append(account)
        return [.publish(account, nil)]
    }
}
