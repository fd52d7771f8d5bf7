import EngineKit

extension AppState {
    /// Does what a key asks for. Commands of the command line come the same way, those with an argument excepted.
    mutating func perform(_ action: Action, _ key: Key? = nil, at now: Instant) -> [UserCommand] {
        switch action {
        case .dial:
            open(.dial, with: key == .character("+") ? "+" : "")
            return []
        case .redial:
            guard let lastTarget else { return refuse("nothing was dialled yet: d dials", at: now) }
            return dial(lastTarget, at: now)
        case .digits: return digits(key, at: now)
        case .answer, .holdAndAnswer, .reject, .ignore: return perform(onRinging: action, at: now)
        case .hangUp, .hold, .resume, .mute, .unmute: return perform(onSelected: action, byKey: key != nil, at: now)
        case .transfer: openTransfer()
        case .connect: return connect(at: now)
        case .conference: return confer(at: now)
        case .acceptTransfer, .declineTransfer: return decideTransfer(action == .acceptTransfer, at: now)
        case .hangUpAll: return ask(.hangUpAll, at: now)
        case .previousCall: select(step: -1)
        case .nextCall: select(step: 1)
        case .selectCall: open(.callNumber)
        case .register: return [.register(account: nil)]
        case .unregister: return [.unregister(account: nil)]
        case .account, .options, .message: return refuse("it needs an argument: ? shows which", at: now)
        case .listCalls:
            missedCalls = 0
            turn(to: .calls)
        case .listContacts: turn(to: .contacts)
        case .listRegistrations: turn(to: .registrations)
        case .help: turn(to: .help)
        case .callStatus: return turnToCall(Page.Subject.status, at: now)
        case .ladder: return turnToCall(Page.Subject.ladder, at: now)
        case .logUp: log.scroll(by: 5, to: lastLogOffset)
        case .logDown: log.scroll(by: -5, to: lastLogOffset)
        case .commandLine: open(.command)
        case .redraw: return [.redraw]
        case .suspend: return requestSuspension(at: now)
        case .quit: return liveCalls.isEmpty ? leave(at: now) : ask(.quit, at: now)
        case .confirm, .decline: return answerQuestion(action == .confirm, at: now)
        case .closePage: page = nil
        case .lineUp: scrollPage(by: -1)
        case .lineDown: scrollPage(by: 1)
        case .pageUp: scrollPage(by: 1 - pageHeight)
        case .pageDown: scrollPage(by: pageHeight - 1)
        case .edit(let edit): editFocusedLine { $0.perform(edit) }
        case .complete: complete()
        case .commitLine: return commitLine(at: now)
        case .leaveLine: leaveLine()
        }
        return []
    }

    /// Somebody asks the process to stop: the person, or another program by a signal.
    package mutating func requestSuspension(at now: Instant) -> [UserCommand] {
        guard liveCalls.isEmpty else { return refuse("a call is up, stopping would silence it: hang up", at: now) }
        return [.suspend]
    }

    mutating func refuse(_ text: Printable, at now: Instant) -> [UserCommand] {
        show(text, .warning, at: now)
        return []
    }

    mutating func dial(_ target: String, at now: Instant) -> [UserCommand] {
        guard !target.isEmpty else { return [] }
        lastTarget = target
        // Whoever dials wants to see the call.
        page = nil
        return [.dial(target: target, account: dialAccount?.text)]
    }

    /// In a call that talks a digit is sent, else it starts a number.
    private mutating func digits(_ key: Key?, at now: Instant) -> [UserCommand] {
        guard case .character(let digit)? = key else { return refuse("it needs digits: dtmf 123#", at: now) }
        if let call = selectedCall, call.isTalking { return [.sendDigits(call.reference, String(digit))] }
        open(.dial, with: String(digit))
        return []
    }

    private mutating func ask(_ question: Question, at now: Instant) -> [UserCommand] {
        guard !liveCalls.isEmpty else { return refuse("no call is up", at: now) }
        self.question = question
        return []
    }

    private mutating func answerQuestion(_ isConfirmed: Bool, at now: Instant) -> [UserCommand] {
        defer { question = nil }
        guard isConfirmed else { return [] }
        switch question {
        case .quit: return leave(at: now)
        case .hangUpAll:
            for call in liveCalls { update(call.reference) { $0.isHangingUp = true } }
            return [.hangUpAll]
        case nil: return []
        }
    }

    /// A peer or a registrar that does not answer is waited for a while.
    private mutating func leave(at now: Instant) -> [UserCommand] {
        show("leaving: calls and registrations are being ended", at: now)
        return [.quit]
    }

    private mutating func turn(to subject: Page.Subject) {
        page = page?.subject == subject ? nil : Page(subject: subject)
    }

    /// Turns to a page about the selected call, or the last one that was.
    private mutating func turnToCall(
        _ subject: (CallReference) -> Page.Subject, at now: Instant
    ) -> [UserCommand] {
        guard let call = selectedCall ?? calls.last ?? pastCalls.last else {
            return refuse("no call yet: d dials", at: now)
        }
        turn(to: subject(call.reference))
        return []
    }

    private mutating func scrollPage(by count: Int) {
        let last = lastPageOffset
        guard let offset = page?.offset else { return }
        page?.offset = min(max(offset + count, 0), last)
    }

    private mutating func select(step: Int) {
        guard !calls.isEmpty else { return }
        let here = calls.firstIndex { $0.reference == selection }
        let next = here.map { min(max($0 + step, 0), calls.count - 1) } ?? (step < 0 ? calls.count - 1 : 0)
        selection = calls[next].reference
        settled = nil
    }

    /// Selects a call by the number that a person typed.
    mutating func select(_ number: String, at now: Instant) {
        if let call = calls.first(where: { String($0.number) == number }) {
            selection = call.reference
            settled = nil
        } else {
            show(number.isEmpty ? "no call selected" : "there is no call \(number)", .warning, at: now)
        }
    }
}
