import EngineKit
import EventPackages
import SIPMessages
import SIPTransactions

/// A phone notifies those who asked for it, by one NOTIFY at a time, of which the last one says that it is (RFC 6665
/// §4.2, RFC 3515 §2.4).
struct NotifierRule {
    private struct Name: Hashable {
        let callID: String
        let localTag: String
        let remoteTag: String
        let event: String
    }

    private struct Notification {
        var transaction: TransactionName
        var sequence: UInt32
        var sentAt: Instant
        /// When the final response came, and whether that took it.
        var answeredAt: Instant?
        var isTaken = false
        var isLast = false
        /// How long the subscription stands, by this NOTIFY and by what a SUBSCRIBE was granted since.
        var standsUntil: Instant
        /// Of documents that are numbered.
        var version: UInt32?
        var fragment: StatusFragment?
    }

    private var last: [Name: Notification] = [:]
    private var names: [TransactionName: Name] = [:]
    /// The refreshes that came, and of what.
    private var subscribed: [TransactionName: Name] = [:]
    /// Those that got their 2xx: when it comes again it grants nothing new.
    private var answered: Set<TransactionName> = []
    /// The Call-IDs in which somebody asked to be told.
    private var asked: Set<String> = []
    /// The BYEs that have no answer: in their dialogs nothing may overtake them, so that nothing more is told there.
    private var byes: [TransactionName: Bye] = [:]
    /// What ended by its own time while such a BYE had no answer.
    private var cutOff: Set<Name> = []

    private struct Bye {
        let dialog: Dialog
        let sentAt: Instant
    }

    private struct Dialog: Hashable {
        let callID: String
        let localTag: String
        let remoteTag: String
    }

    mutating func sent(_ traffic: Traffic, excused: Bool, _ findings: inout Findings) {
        let transaction = TransactionName(traffic.message)
        if let response = traffic.response, response.status.isSuccess, let name = subscribed[transaction],
            let granted = try? response.headers.first(Expires.self), answered.insert(transaction).inserted
        {
            last[name]?.standsUntil = traffic.at + .seconds(Int64(granted.seconds))
        }
        guard let request = traffic.request else { return }
        if request.method == .bye {
            let dialog = Dialog(
                callID: request.callID, localTag: request.from.tag ?? "", remoteTag: request.to.tag ?? "")
            byes[transaction] = byes[transaction] ?? Bye(dialog: dialog, sentAt: traffic.at)
        }
        guard request.method == .notify else { return }
        guard names[transaction] == nil else { return }
        guard let event = try? request.headers.first(EventPackage.self),
            let state = try? request.headers.first(SubscriptionState.self)
        else { return findings.add(.subscriptionsEnd, "NOTIFY that does not say of what, or how it stands") }
        let name = Name(
            callID: request.callID, localTag: request.from.tag ?? "", remoteTag: request.to.tag ?? "",
            event: "\(event.package) \(event.id ?? "")")
        names[transaction] = name
        if !asked.contains(request.callID) { findings.add(.subscriptionsEnd, "NOTIFY that nobody asked for") }
        var notification = Notification(
            transaction: transaction, sequence: request.cSeq.number, sentAt: traffic.at,
            isLast: state.state == "terminated",
            standsUntil: traffic.at + .seconds(Int64(state.expires ?? 0)),
            version: (try? DialogInformation(parsing: request.body))?.version,
            fragment: StatusFragment(parsing: request.body))
        if let before = last[name] {
            // The same one to another destination, or with credentials.
            if before.sequence == request.cSeq.number || before.answeredAt == nil && excused {
                notification.version = notification.version ?? before.version
            } else {
                judge(notification, after: before, excused: excused, &findings)
            }
        }
        last[name] = notification
    }

    private func judge(
        _ notification: Notification, after before: Notification, excused: Bool, _ findings: inout Findings
    ) {
        if before.isLast { findings.add(.subscriptionsEnd, "NOTIFY after the last one") }
        if before.answeredAt == nil, notification.sentAt - before.sentAt < .seconds(32) {
            findings.add(.subscriptionsEnd, "NOTIFY while another one has no answer")
        }
        if before.answeredAt != nil, !before.isTaken, !excused {
            findings.add(.subscriptionsEnd, "NOTIFY to somebody who did not take the one before")
        }
        if let version = before.version, let next = notification.version, next != version &+ 1 {
            findings.add(.subscriptionsEnd, "version \(next) of what is told after \(version)")
        }
        if let said = before.fragment?.status, said.isFinal, let next = notification.fragment?.status, next != said {
            findings.add(.transfersAreTold, "\(next) told after \(said)")
        }
    }

    mutating func arrived(_ traffic: Traffic) {
        switch traffic.message {
        case .request(let request):
            if [.subscribe, .refer].contains(request.method) { asked.insert(request.callID) }
            guard request.method == .subscribe, let localTag = request.to.tag,
                let event = try? request.headers.first(EventPackage.self)
            else { return }
            let name = Name(
                callID: request.callID, localTag: localTag, remoteTag: request.from.tag ?? "",
                event: "\(event.package) \(event.id ?? "")")
            // What a REFER makes has a number, which it need not be called by in a dialog that has no other.
            let numbered = last.keys.first {
                $0.callID == name.callID && $0.localTag == name.localTag && $0.remoteTag == name.remoteTag
                    && $0.event.hasPrefix(name.event)
            }
            subscribed[TransactionName(traffic.message)] = numbered ?? name
        case .response(let response):
            let transaction = TransactionName(traffic.message)
            if response.status.isFinal, let bye = byes.removeValue(forKey: transaction) {
                let ended = last.filter { name, notification in
                    dialog(of: name) == bye.dialog && (bye.sentAt...traffic.at).contains(notification.standsUntil)
                }
                cutOff.formUnion(ended.keys)
            }
            guard response.status.isFinal, ![401, 407].contains(response.status.value), let name = names[transaction],
                last[name]?.transaction == transaction, last[name]?.answeredAt == nil
            else { return }
            // Later than that nobody waits for it.
            guard let left = last[name]?.sentAt, traffic.at - left < .seconds(32) else { return }
            last[name]?.answeredAt = traffic.at
            last[name]?.isTaken = response.status.isSuccess
        }
    }

    private func dialog(of name: Name) -> Dialog {
        Dialog(callID: name.callID, localTag: name.localTag, remoteTag: name.remoteTag)
    }

    /// Who took a NOTIFY while the subscription stood is told of its end.
    func atRest(mayMiss: Bool, _ findings: inout Findings) {
        guard !mayMiss else { return }
        let silenced = Set(byes.values.map(\.dialog))
        for (name, notification) in last where notification.isTaken && !notification.isLast {
            guard !silenced.contains(dialog(of: name)), !cutOff.contains(name) else { continue }
            guard let answeredAt = notification.answeredAt, answeredAt < notification.standsUntil else { continue }
            findings.add(.subscriptionsEnd, "nobody was told that a subscription is over")
        }
    }
}
