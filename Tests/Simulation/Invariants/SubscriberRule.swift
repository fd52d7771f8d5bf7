import EngineKit
import SIPUserAgent

/// What a phone tells of its own subscriptions makes sense, and has one end (RFC 6665 §4.1).
struct SubscriberRule {
    private struct Story {
        var isToldOf = false
        var endedAt: Instant?
    }

    private var stories: [SubscriptionHandle: Story] = [:]

    mutating func commanded(_ command: Command) {
        if case .subscribe(let handle, _) = command, stories[handle] == nil { stories[handle] = Story() }
    }

    mutating func told(_ event: Event, at now: Instant, _ findings: inout Findings) {
        switch event {
        case .subscription(let handle, let status):
            expect(handle, "\(status)", &findings) { $0.endedAt == nil }
            stories[handle]?.isToldOf = true
            if case .ended = status { stories[handle]?.endedAt = now }
        case .notified(let handle?, _):
            // The last one says that there is none after it.
            expect(handle, "a NOTIFY", &findings) { $0.endedAt == nil || $0.endedAt == now }
        default:
            break
        }
    }

    private func expect(
        _ handle: SubscriptionHandle, _ what: String, _ findings: inout Findings, _ holds: (Story) -> Bool
    ) {
        guard let story = stories[handle] else {
            return findings.add(.subscriptionsEnd, "\(what) of \(handle), which nobody made")
        }
        if !holds(story) { findings.add(.subscriptionsEnd, "\(what) of \(handle), which ended") }
    }

    func atRest(_ findings: inout Findings) {
        for (handle, story) in stories.sorted(by: { $0.key < $1.key }) where story.isToldOf && story.endedAt == nil {
            findings.add(.subscriptionsEnd, "\(handle) never ended")
        }
    }
}
