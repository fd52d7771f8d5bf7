import EngineKit

extension AppState {
    /// Takes what the app reports.
    package mutating func receive(_ event: PhoneEvent, at now: Instant) {
        switch event {
        case .timeOfDay(let time):
            timeOfDayAtOrigin =
                TimeOfDay(milliseconds: time.milliseconds &- Int(now.nanoseconds / 1_000_000))
                .milliseconds
        case .account(let description): receive(description, at: now)
        case .registration(let account, let state): receive(state, of: account, at: now)
        case .outgoingCall(let reference, let account, let peer):
            let call = CallLine(
                reference: reference, number: nextNumber, account: account, peer: peer, state: .calling, at: now)
            guard add(call) else { return }
            selection = reference
            record(.info, .call(reference), "calling \(peer.shown)", at: now)
        case .incomingCall(let reference, let incoming): receive(incoming, as: reference, at: now)
        case .progress(let reference, let progress): receive(progress, of: reference, at: now)
        case .answered(let reference): answered(reference, at: now)
        case .media(let reference, let media):
            update(reference) { $0.media = media }
            if call(reference) != nil { record(.info, .call(reference), media.logged, at: now) }
        case .hold(let reference, let state): receive(state, of: reference, at: now)
        case .muted(let reference, let isMuted): update(reference) { $0.isMuted = isMuted }
        case .conference(let reference, let isIn): update(reference) { $0.isInConference = isIn }
        case .levels(let reference, let levels):
            update(reference) {
                $0.microphone.append(decibels: levels.microphone)
                $0.ear.append(decibels: levels.ear)
            }
        case .quality(let reference, let quality): update(reference) { $0.quality = quality }
        case .digit(let reference, let digit, let direction): receive(digit, direction, in: reference, at: now)
        case .transferRequested(let reference, let target): receive(transferTo: target, in: reference, at: now)
        case .transferSettled(let reference): update(reference) { $0.requestedTransfer = nil }
        case .ended(let reference, let end): ended(reference, end, at: now)
        case .sipMessage(let reference, let message): receive(message, of: reference)
        case .messagesWaiting(let account, let count):
            guard let index = accounts.firstIndex(where: { $0.name == account }) else { return }
            accounts[index].messagesWaiting = count
        case .message(let account, let peer, let text):
            record(.info, .account(account), "\(peer.shown) writes: \(text)", at: now)
            show("\(peer.shown) writes: \(text)", .info, at: now)
            lastWriter = peer.address.text
            receive(composing: peer, isActive: false)
        case .composing(let peer, let isActive): receive(composing: peer, isActive: isActive)
        case .contact(let party): receive(contact: party)
        case .presence(let address, let presence): updateContact(address) { $0.presence = presence }
        case .lamp(let address, let lamp): updateContact(address) { $0.lamp = lamp }
        case .log(let severity, let source, let text): record(severity, source, text, at: now)
        case .failure(let cause, let cure): fail(cause, cure, source: .phone, at: now)
        }
    }

    /// Forgets what had its time: ended calls and the notice.
    package mutating func handleDeadline(at now: Instant) {
        if let notice, notice.until <= now { self.notice = nil }
        let gone = calls.filter { $0.isSettled && $0.since + Self.endedCallStays <= now }
        guard !gone.isEmpty else { return }
        calls.removeAll { call in gone.contains { $0.reference == call.reference } }
        pastCalls = (pastCalls + gone).suffix(Self.maximumPastCalls)
        if selectedCall == nil { selectLiveCall() }
    }

    /// When the screen changes by itself: a running clock, a notice or an ended call whose time is over.
    package func deadline(after now: Instant) -> Instant {
        let minute = 60_000 - (timeOfDay(at: now)?.milliseconds ?? 0) % 60_000
        var next = now + .milliseconds(minute)
        if let notice { next = min(next, notice.until) }
        for call in calls {
            if call.isLive {
                // Durations change together, once a second, on the second of the first call.
                let elapsed = max(0, (now - call.since).saturatedNanoseconds)
                next = min(next, now + .nanoseconds(1_000_000_000 - elapsed % 1_000_000_000))
            } else if call.isSettled {
                next = min(next, call.since + Self.endedCallStays)
            }
        }
        return max(next, now)
    }
}

extension AppState {
    private mutating func receive(_ description: AccountDescription, at now: Instant) {
        if let index = accounts.firstIndex(where: { $0.name == description.name }) {
            accounts[index].address = description.address
        } else if accounts.count < Self.maximumAccounts {
            accounts.append(
                AccountLine(name: description.name, address: description.address, state: .unregistered, since: now))
        }
    }

    private mutating func receive(_ state: RegistrationState, of name: Printable, at now: Instant) {
        guard let index = accounts.firstIndex(where: { $0.name == name }) else { return }
        let before = accounts[index].state
        accounts[index].state = state
        if before != state { accounts[index].since = now }
        switch (before, state) {
        case (.registered, .registered), (.registering, .registering), (.peerToPeer, .peerToPeer): break
        case (_, .peerToPeer): record(.info, .account(name), "reached at \(accounts[index].address)", at: now)
        case (_, .registered(let detail)):
            record(.info, .account(name), detail.isEmpty ? "registered" : "registered \(detail)", at: now)
        case (_, .failed(let cause, let cure)) where before != state:
            fail(cause, cure, source: .account(name), at: now)
        case (.registered, .unregistered): record(.info, .account(name), "unregistered", at: now)
        default: break
        }
    }

    /// Shows and logs a failure: cause and cure in one line.
    mutating func fail(_ cause: Printable, _ cure: Printable?, source: LogSource, at now: Instant) {
        let text: Printable = cure.map { "\(cause): \($0)" } ?? cause
        record(.failure, source, text, at: now)
        switch source {
        case .phone, .other: show(text, .failure, at: now)
        case .account, .call: show("\(word(for: source, .failure)): \(text)", .failure, at: now)
        }
    }
}

extension Party {
    /// Name and address for a sentence.
    var shown: Printable {
        guard let displayName, !displayName.isEmpty else { return address }
        return "\(displayName) <\(address)>"
    }
}

extension MediaSummary {
    var logged: Printable { detail.isEmpty ? codec : detail }
}
