import EngineKit
import SIPMessages
import SIPTransactions
import SIPUserAgent

/// What rogues do within dialogs, and to those who want to be told of something.
extension Rogue {
    /// The answer to another INVITE, which the branch alone makes look like one to this.
    mutating func answerForAnother(_ invite: Request, over flow: Flow, at now: Instant) {
        var answer = accepting(invite, 200, tag: "other")
        switch Int.random(in: 0..<3, using: &dice) {
        case 0: answer.callID = "another"
        case 1: answer.cSeq.number += 1
        default: answer.vias[0].host = .address(address.address)
        }
        say(answer.bytes(), to: flow, at: now + .milliseconds(100))
        say(invite.response(486, toTag: "other").bytes(), to: flow, at: now + .seconds(2))
    }

    /// Asks for a call to somebody who is not there, and then for news of it.
    mutating func refer(in dialog: ScriptedDialog, over flow: Flow, at instant: Instant) {
        var dialog = dialog
        var refer = dialog.request(.refer, via: nextVia)
        let target = SIPURI(user: "premium", host: .address(address.address), port: 5099)
        refer.headers.append(ReferTo(NameAddress(uri: .sip(target))))
        refer.headers.append(contact(user: "rogue"))
        say(refer.bytes(), to: flow, at: instant)
        for second in 1..<4 as Range<Int> {
            var subscribe = dialog.request(.subscribe, via: nextVia)
            subscribe.headers.append(EventPackage("refer", id: String(refer.cSeq.number)))
            subscribe.headers.append(Expires(dice.one(of: [0, 5, 3600])))
            subscribe.headers.append(contact(user: "rogue"))
            say(subscribe.bytes(), to: flow, at: instant + .seconds(second))
        }
        // Of a transfer that nobody asked it for.
        say(notification(in: &dialog, of: "refer", "active", "SIP/2.0 200 OK").bytes(), to: flow, at: instant)
    }

    /// Asks for a call outside the dialog that it has, naming that as it should (RFC 4538), with its tags taken for each
    /// other, or not at all.
    mutating func referFromOutside(_ dialog: ScriptedDialog, over flow: Flow, at instant: Instant) {
        for number in 0..<3 {
            var outside = dialog
            outside.callID = "\(dialog.callID)-\(number)"
            outside.localParty.tag = "outside\(tags)"
            outside.remoteParty.tag = nil
            var refer = outside.request(.refer, via: nextVia)
            let target = SIPURI(user: "premium", host: .address(address.address), port: 5099)
            refer.headers.append(ReferTo(NameAddress(uri: .sip(target))))
            refer.headers.append(contact(user: "rogue"))
            let (own, peer) = (dialog.remoteParty.tag ?? "", dialog.localParty.tag ?? "")
            switch dice.one(of: [0, 0, 1, 2]) {
            case 0: refer.headers.append(TargetDialog(callID: dialog.callID, ownTag: own, peerTag: peer))
            case 1: refer.headers.append(TargetDialog(callID: dialog.callID, ownTag: peer, peerTag: own))
            default: break
            }
            asked[refer.callID] = refer
            say(refer.bytes(), to: flow, at: instant + .milliseconds(Int64.random(in: 0...2_000, using: &dice)))
        }
    }

    /// In the dialog that a REFER made it asks for news of the call, for more of them or for no more.
    mutating func followReferral(_ response: Response, over flow: Flow, at now: Instant) {
        guard response.status.isSuccess, let refer = asked.removeValue(forKey: response.callID) else { return }
        var dialog = ScriptedDialog(calling: refer, answeredBy: response)
        for second in 1..<3 as Range<Int> {
            var subscribe = dialog.request(.subscribe, via: nextVia)
            subscribe.headers.append(EventPackage("refer"))
            subscribe.headers.append(Expires(dice.one(of: [0, 5, 3600])))
            subscribe.headers.append(contact(user: "rogue"))
            say(subscribe.bytes(), to: flow, at: now + .seconds(second))
        }
    }

    /// Takes a SUBSCRIBE or REFER and notifies as no notifier may.
    mutating func notify(of request: Request, over flow: Flow, at now: Instant) {
        let tag = request.to.tag ?? "notifier"
        var dialog = ScriptedDialog(answering: request, tag: tag)
        dialog.sequence = UInt32(100 + 20 * tags)
        var response = request.response(request.method == .refer ? 202 : 200, toTag: tag)
        response.headers.append(contact(user: "rogue"))
        if request.method == .subscribe { response.headers.append(Expires(60)) }
        say(response.bytes(), to: flow, at: now + .milliseconds(Int64.random(in: 0...400, using: &dice)))
        let package =
            request.method == .refer ? "refer" : (try? request.headers.first(EventPackage.self))?.package ?? ""
        for number in 0..<Int.random(in: 0...6, using: &dice) {
            let state = dice.one(of: ["active", "active", "pending", "terminated", "terminated;reason=probation", ""])
            let body = dice.one(of: ["SIP/2.0 100 Trying", "SIP/2.0 200 OK", "SIP/2.0 603 Decline", "<presence/>", ""])
            var other = dialog
            // A second notifier, to whom nobody forked anything.
            if dice.chance(0.2) { other.localParty.tag = "second" }
            var notify = notification(in: &other, of: dice.chance(0.1) ? "conference" : package, state, body)
            if dice.chance(0.2) { notify.cSeq.number -= 1 }
            dialog.sequence = max(dialog.sequence, other.sequence)
            say(notify.bytes(), to: flow, at: now + .milliseconds(150 * number))
        }
    }

    private mutating func notification(
        in dialog: inout ScriptedDialog, of package: String, _ state: String, _ body: String
    ) -> Request {
        var notify = dialog.request(.notify, via: nextVia)
        notify.maxForwards = 70
        notify.headers.append(EventPackage(package))
        try? notify.headers.append(.subscriptionState, state)
        notify.headers.append(contact(user: "rogue"))
        if !body.isEmpty {
            let type = package == "refer" ? ContentType("message", "sipfrag") : ContentType("application", "pidf+xml")
            notify.headers.append(type)
            notify.body = Array(body.utf8)
        }
        return notify
    }

    private var nextVia: Via {
        mutating get {
            tags += 1
            return Via(
                transport: .udp, host: .address(address.address), port: address.port,
                branch: "\(Via.magicCookie)-\(name)-event-\(tags)")
        }
    }
}
