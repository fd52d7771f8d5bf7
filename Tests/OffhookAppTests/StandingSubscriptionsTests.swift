import SIPUserAgent
import Testing

@testable import OffhookApp

/// What the configuration has accounts ask for and publish while they can be reached.
struct StandingSubscriptionsTests {
    private let account = AccountID(rawValue: 0)

    @Test func presenceIsTakenBackWithTheRegistrationAndPublishedWithTheNext() throws {
        let voicemail = try #require(ConfiguredSubscription("message-summary:alice@example.com"))
        var desk = Desk()
        desk.coordinator.subscriptions = StandingSubscriptions([(account, voicemail)], publishers: [account])
        desk.coordinator.beginSubscriptions(of: account)
        desk.drain()
        #expect(desk.signalling == ["publish", "subscribe"])
        desk.coordinator.beginSubscriptions(of: account)
        desk.coordinator.unregister(account)
        desk.drain()
        #expect(desk.signalling == ["publish", "subscribe", "publish", "unregister"])
        desk.coordinator.unregister(account)
        desk.coordinator.beginSubscriptions(of: account)
        desk.drain()
        #expect(desk.signalling.dropFirst(4) == ["unregister", "publish"])
    }

    @Test func whatIsTakenBackIsTheWholeOfIt() {
        var standing = StandingSubscriptions(publishers: [account])
        #expect(standing.withdraw(account).isEmpty)
        _ = standing.begin(account)
        guard case .publish(account, nil)? = standing.withdraw(account).first else {
            Issue.record("the presence stays published")
            return
        }
    }
}
