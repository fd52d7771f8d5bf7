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
        hangUpEverything()
        judgeLife()
        hangUpEverything()
        for phone in phones { world.perform(.unregister(AccountID(rawValue: 0)), at: phone) }
        world.run(for: .seconds(140))
        world.examineRest()
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
                        let other = world.handle(ofIncoming: callID, at: callee)
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
