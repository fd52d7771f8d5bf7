import EngineKit
import SIPMessages
import SIPUserAgent

/// How a trial ends: nothing goes wrong any more, and then everything must be as it should.
extension Trial {
    mutating func conclude() {
        world.heal()
        world.ladder.remark("nothing goes wrong any more", at: world.now)
        // What was on its way when it healed, and what was tried in vain for 64*T1, is over.
        world.run(for: .seconds(80))
        world.examinePeace()
        judgeBothSides()
        judgeWatchers()
        hangUpEverything()
        judgeLife()
        hangUpEverything()
        giveUpErrands()
        for phone in phones { world.perform(.unregister(AccountID(rawValue: 0)), at: phone) }
        world.run(for: .seconds(140))
        // Whoever was not told that nobody listens any more goes on until the subscription runs out.
        let phones = phones
        world.run(upTo: .seconds(3700)) { world in phones.allSatisfy(world.isAtRest) }
        world.examineRest()
    }

    /// Nobody wants to be told of anything any more, nor to be seen.
    private mutating func giveUpErrands() {
        for step in plan.steps {
            guard case .deed(let phone, let deed) = step.what else { continue }
            switch deed {
            case .subscribe(let number, _, _, _):
                world.perform(.unsubscribe(SubscriptionHandle(rawValue: number)), at: phones[phone])
            case .publish: world.perform(.publish(AccountID(rawValue: 0), nil), at: phones[phone])
            default: break
            }
        }
    }

    /// Both sides hang up whatever is left, thrice: what was on its way may have become a call.
    private mutating func hangUpEverything() {
        for _ in 0..<3 {
            let open = phones.flatMap { phone in world.openCalls(at: phone).map { (phone, $0) } }
            guard !open.isEmpty else { break }
            for (phone, call) in open { world.perform(.hangUp(call), at: phone) }
            world.run(for: .seconds(45))
        }
        world.run(for: .seconds(45))
    }

    // MARK: - I2 and I10

    /// What stands on both sides of a call must be the same.
    private mutating func judgeBothSides() {
        guard !world.isDeceived else { return }
        for caller in phones {
            for callee in phones where callee != caller {
                for call in world.openCalls(at: caller) where !call.isIncoming {
                    guard let callID = world.callID(of: call, at: caller),
                        let other = world.handle(ofIncoming: callID, at: callee),
                        // An INVITE that came again very late makes a second call, of which nothing is known here.
                        world.isOneCall(callID, at: callee)
                    else { continue }
                    judge(call, at: caller, and: other, at: callee)
                }
            }
        }
    }

    private mutating func judge(_ call: CallHandle, at caller: HostID, and other: CallHandle, at callee: HostID) {
        guard world.openCalls(at: callee).contains(other), world.isEstablished(call, at: caller),
            world.isEstablished(other, at: callee), let ours = world.media(of: call, at: caller),
            let theirs = world.media(of: other, at: callee)
        else { return }
        if ours.direction != theirs.direction.reversed {
            world.violate(.offersTakeTurns, "\(call) is \(ours.direction) here and \(theirs.direction) there")
        }
        if ours.sendFormat.encodingName != theirs.sendFormat.encodingName {
            world.violate(
                .offersTakeTurns, "\(call) speaks \(ours.sendFormat.encodingName) and \(theirs.sendFormat.encodingName)"
            )
        }
    }

    // MARK: - What was told of others

    /// Who watches somebody, and was told for certain since it healed, knows how that one is.
    private mutating func judgeWatchers() {
        guard !world.isDeceived else { return }
        for step in plan.steps {
            guard
                case .deed(let watcher, .subscribe(let number, .phone(let watched), let topic, let expires)) = step.what,
                topic != .messageSummary, (1...60).contains(expires), !sharesUser(watched),
                !world.isOff(phones[watched]), !world.isOff(phones[watcher])
            else { continue }
            let handle = SubscriptionHandle(rawValue: number)
            guard world.isActive(handle, at: phones[watcher]), let told = world.told(of: handle, at: phones[watcher])
            else { continue }
            judge(told, of: phones[watched])
        }
    }

    /// Whether the registrar of a phone knows where it is.
    private func isBound(_ phone: HostID) -> Bool {
        let phone = plan.setting.phones[phone.index]
        guard let place = phone.proxy else { return false }
        let registrar = world.hosts[phones.count + place].proxy?.registrar
        return registrar?.bindings(of: phone.user, at: world.now).isEmpty == false
    }

    private func sharesUser(_ phone: Int) -> Bool {
        let one = plan.setting.phones[phone]
        return plan.setting.phones.count { $0.user == one.user && $0.proxy == one.proxy } > 1
    }

    private mutating func judge(_ told: EventNotification.Content, of watched: HostID) {
        switch told {
        case .presence(let document):
            let isOpen = world.isSeen(watched)
            if document.isOpen != isOpen {
                world.violate(
                    .subscriptionsEnd, "\(Setting.name(watched.index)) is said to be \(isOpen ? "away" : "there")")
            }
        case .dialogs(let table):
            // What has just changed may still be on its way.
            guard world.isQuiet(watched, for: .seconds(15)) else { return }
            let calls = world.openCalls(at: watched).count
            if table.dialogs.count != calls {
                world.violate(
                    .subscriptionsEnd,
                    "\(Setting.name(watched.index)) is said to have \(table.dialogs.count) calls, not \(calls)")
            }
        case .registration(let information):
            guard isBound(watched), world.isQuiet(watched, for: .seconds(15)) else { return }
            let contacts = information.registrations.flatMap(\.contacts)
            if !contacts.contains(where: \.isActive) {
                world.violate(.subscriptionsEnd, "\(Setting.name(watched.index)) is said not to be registered")
            }
        default:
            break
        }
    }

    // MARK: - I13

    /// Registers every phone, and has two of them talk.
    private mutating func judgeLife() {
        let alive = phones.filter { !world.isOff($0) }
        for phone in alive where plan.setting.phones[phone.index].proxy != nil {
            world.perform(.register(AccountID(rawValue: 0)), at: phone)
        }
        world.run(for: .seconds(40))
        // The first realm that a registrar names is believed for good, also where the network garbled it.
        if world.isDeceived, !plan.setting.proxies.isEmpty { return }
        for phone in alive where plan.setting.phones[phone.index].proxy != nil && !world.isRegistered(phone) {
            world.violate(.lifeGoesOn, "\(Setting.name(phone.index)) is not registered")
        }
        guard let caller = alive.first, let callee = alive.last(where: { canTalk($0, to: caller) }) else { return }
        talk(from: caller, to: callee)
    }

    /// Whether two phones agree on how provisional responses are acknowledged.
    private func canTalk(_ one: HostID, to other: HostID) -> Bool {
        let policies = [one, other].map { plan.setting.phones[$0.index].reliableProvisionals }
        return one != other && !(policies.contains(.off) && policies.contains(.required))
    }

    private mutating func talk(from caller: HostID, to callee: HostID) {
        lastCall += 1
        let call = CallHandle(rawValue: lastCall)
        let target =
            plan.setting.phones[callee.index].proxy == nil
            ? world.uri(of: callee, user: "peer") : plan.setting.target(.phone(callee.index), transport: nil)
        world.perform(.call(call, OutgoingCall(target: target, media: World.media())), at: caller)
        guard let callID = world.callID(of: call, at: caller) else {
            return world.violate(.lifeGoesOn, "a fresh call was not even placed")
        }
        world.run(upTo: .seconds(40)) { $0.handle(ofIncoming: callID, at: callee) != nil }
        guard let incoming = world.handle(ofIncoming: callID, at: callee) else {
            return world.violate(.lifeGoesOn, "a fresh call did not arrive")
        }
        world.perform(.answer(incoming, World.media()), at: callee)
        world.run(for: .seconds(10))
        // Where several phones are one user's, another one may have been faster.
        let answered = phones.contains { phone in
            phone != caller
                && world.handle(ofIncoming: callID, at: phone).map { world.isEstablished($0, at: phone) } ?? false
        }
        guard world.isEstablished(call, at: caller), answered, world.media(of: call, at: caller) != nil else {
            return world.violate(.lifeGoesOn, "a fresh call was not established")
        }
        world.perform(.hangUp(call), at: caller)
        world.run(for: .seconds(40))
        if !world.openCalls(at: callee).filter({ $0 == incoming }).isEmpty {
            world.violate(.lifeGoesOn, "a fresh call did not end")
        }
    }
}
