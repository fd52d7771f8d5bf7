import EngineKit
import SDP
import SIPMessages
import SIPUserAgent

extension World {
    /// The names of all that the phone told of, in order.
    package func story(of host: HostID) -> [String] {
        notices(of: host).map { notice in
            String(String(describing: notice.event).prefix { $0 != "(" })
        }
    }

    /// How the calls of the phone ended, in the order of ending.
    package func ends(at host: HostID) -> [CallEnd] {
        notices(of: host).compactMap { notice in
            if case .ended(_, let end) = notice.event { end } else { nil }
        }
    }

    /// The calls of the phone whose end was told.
    package func endedCalls(at host: HostID) -> Set<CallHandle> {
        Set(
            notices(of: host).compactMap { notice in
                if case .ended(let call, _) = notice.event { call } else { nil }
            })
    }

    /// The calls that the phone placed or took and that are not over, in the order of their handles.
    package func openCalls(at host: HostID) -> [CallHandle] { hosts[host.index].watch.story.openCalls }

    /// The calls that came in at the phone, in order.
    package func incomingCalls(at host: HostID) -> [CallHandle] {
        notices(of: host).compactMap { notice in
            if case .incomingCall(let handle, _) = notice.event { handle } else { nil }
        }
    }

    /// The Call-ID of a call that the phone placed or took.
    package func callID(of call: CallHandle, at host: HostID) -> String? {
        hosts[host.index].watch.story.callID(of: call)
    }

    /// The call under that Call-ID that came in at the phone.
    package func handle(ofIncoming callID: String, at host: HostID) -> CallHandle? {
        hosts[host.index].watch.story.handle(ofIncoming: callID)
    }

    /// Whether the phone has one call alone under that Call-ID.
    package func isOneCall(_ callID: String, at host: HostID) -> Bool {
        hosts[host.index].watch.story.isOneCall(callID)
    }

    /// The tag of the phone in the calls with that Call-ID; of several any.
    func tag(of callID: String, at host: HostID) -> String? {
        hosts[host.index].watch.story.tag(of: callID)
    }

    package func isEstablished(_ call: CallHandle, at host: HostID) -> Bool {
        hosts[host.index].watch.story.isEstablished(call)
    }

    /// What was last agreed on for a call.
    package func media(of call: CallHandle, at host: HostID) -> AgreedMedia? {
        for case .mediaAgreed(call, let agreement) in notices(of: host).reversed().lazy.map(\.event) {
            return agreement.media
        }
        return nil
    }

    package func isRegistered(_ host: HostID) -> Bool {
        for case .registration(_, let state) in notices(of: host).reversed().lazy.map(\.event) {
            if case .registered = state { return true }
            return false
        }
        return false
    }

    /// Whether a subscription stands, as far as the phone knows.
    func isActive(_ subscription: SubscriptionHandle, at host: HostID) -> Bool {
        for case .subscription(subscription, let status) in notices(of: host).reversed().lazy.map(\.event) {
            if case .active = status { return true }
            return false
        }
        return false
    }

    /// What the phone was told last under a subscription.
    func told(of subscription: SubscriptionHandle, at host: HostID) -> EventNotification.Content? {
        for case .notified(subscription, let notification) in notices(of: host).reversed().lazy.map(\.event) {
            return notification.content
        }
        return nil
    }

    /// Whether the person wants to be seen as there.
    func isSeen(_ host: HostID) -> Bool { hosts[host.index].watch.isOpen }

    /// Whether nothing happened at the phone for so long.
    func isQuiet(_ host: HostID, for duration: Duration) -> Bool {
        notices(of: host).last.map { now - $0.at >= duration } ?? true
    }

    package func isOff(_ host: HostID) -> Bool { hosts[host.index].isOff }

    /// Whether a message arrived somewhere that nobody sent so.
    var isDeceived: Bool { hosts.contains { $0.watch.isDeceived } }

    /// Whether the phone keeps nothing any more: no call, no transaction, no question, no deadline.
    package func isAtRest(_ host: HostID) -> Bool {
        hosts[host.index].isOff || core(of: host)?.occupancy == .empty
    }

    /// How many messages with that summary the ladder shows from `sender`, lost ones too.
    package func count(_ summary: String, from sender: HostID) -> Int {
        let name = hosts[sender.index].name
        return ladder.lines.count { line in
            line.contains(" \(name) -") && line.hasSuffix("  \(summary)")
        }
    }
}
