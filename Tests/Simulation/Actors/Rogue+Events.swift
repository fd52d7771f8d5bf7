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
