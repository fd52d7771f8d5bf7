import EngineKit

extension AppState {
    /// Numbers go on, so that in the log each names one call, and calls stand in their order.
    var nextNumber: Int { lastNumber + 1 }

    /// False where there is such a call already, or no room: the core's own limits are far below.
    mutating func add(_ call: CallLine) -> Bool {
        guard calls.count < Self.maximumCalls, self.call(call.reference) == nil else { return false }
        calls.append(call)
        lastNumber = call.number
        return true
    }

    mutating func receive(_ incoming: IncomingCall, as reference: CallReference, at now: Instant) {
        let hadCall = !liveCalls.isEmpty
        guard add(CallLine(reference: reference, number: nextNumber, incoming: incoming, at: now)) else { return }
        // A call that waits must not take the keys of the one that is spoken on.
        if !hadCall { selection = reference }
        record(.info, .call(reference), "\(incoming.peer.shown) calls \(incoming.account)", at: now)
    }

    mutating func receive(_ progress: CallProgress, of reference: CallReference, at now: Instant) {
        guard let call = call(reference), call.isLive, !call.isEstablished, !call.isIncoming else { return }
        let before = call.state
        switch progress {
        case .trying: break
        case .ringing(let phrase):
            update(reference) { $0.enter(.ringing(phrase), at: now) }
            if before != .ringing(phrase) { record(.info, .call(reference), phrase, at: now) }
        case .earlyMedia:
            update(reference) { $0.enter(.earlyMedia, at: now) }
            if before != .earlyMedia { record(.info, .call(reference), "early media", at: now) }
        }
    }

    mutating func answered(_ reference: CallReference, at now: Instant) {
        guard let call = call(reference), call.isLive, !call.isEstablished else { return }
        update(reference) { $0.enter(.established, at: now) }
        if settled?.call == reference { settled?.at = now }
        record(.info, .call(reference), "answered", at: now)
        // A call that we placed, or answered with the key that holds, has the others put on hold on their way.
        let others = hearingCalls.filter { $0.reference != reference }
        guard call.isAnsweredBeside, let other = others.first else { return }
        let who: Printable = others.count == 1 ? "call \(other.number) hears" : "\(others.count) other calls hear"
        record(.warning, .call(reference), "\(who) you too: x holds one of them", at: now)
    }

    mutating func receive(_ state: HoldState, of reference: CallReference, at now: Instant) {
        guard let call = call(reference), call.isLive else { return }
        update(reference) { $0.hold(state, at: now) }
        guard call.holdState != state else { return }
        let word: Printable =
            switch state {
            case .none: "resumed"
            case .byUs: "held by us"
            case .byPeer: "held by the peer"
            case .byBoth: "held by both"
            }
        record(.info, .call(reference), word, at: now)
    }

    mutating func receive(
        _ digit: Printable, _ direction: MessageDirection, in reference: CallReference, at now: Instant
    ) {
        guard let call = call(reference), call.isLive else { return }
        if direction == .received { update(reference) { $0.receive(digit: digit) } }
        record(.info, .call(reference), "digit \(digit) \(direction == .sent ? "sent" : "received")", at: now)
    }

    mutating func receive(transferTo target: Party, in reference: CallReference, at now: Instant) {
        guard let call = call(reference), call.isLive else { return }
        update(reference) { $0.requestedTransfer = target }
        record(.warning, .call(reference), "\(call.peer.shown) asks us to call \(target.shown)", at: now)
    }

    mutating func receive(_ message: MessageSummary, of reference: CallReference) {
        update(reference) { $0.append(message) }
        // The BYE's answer comes after the end.
        if let index = pastCalls.lastIndex(where: { $0.reference == reference }) { pastCalls[index].append(message) }
    }

    mutating func ended(_ reference: CallReference, _ end: CallEnd, at now: Instant) {
        guard let call = call(reference), call.isLive else { return }
        let wasMissed = call.isIncoming && end.side == .remote
        update(reference) { $0.enter(.ended(end), at: now) }
        if call.isHangingUp, settled?.call == reference { settled?.at = now }
        if wasMissed { missedCalls += 1 }
        if let target = end.redirection, !call.isIncoming { dialLine.suggest(target) }
        let missed = wasMissed ? ", missed" : ""
        let text: Printable = "\(end.cause)\(missed)"
        if end.isFailure {
            fail(text, end.cure, source: .call(reference), at: now)
        } else {
            record(.info, .call(reference), text, at: now)
        }
        if selection == reference { selectLiveCall() }
    }

    /// Selects the call that the person most likely means: one that is spoken on, else any that lives.
    mutating func selectLiveCall() {
        let live = liveCalls
        let next = live.first(where: \.isTalking) ?? live.first(where: \.isEstablished) ?? live.first
        if let next { selection = next.reference }
    }
}
