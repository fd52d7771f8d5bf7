import EngineKit
import SIPMessages
import SIPUserAgent

/// What comes from outside a call and yet concerns it, and what a domain tells of its registrations.
extension Plan {
    mutating func visits(_ random: inout RandomSource) -> [Step] {
        guard Bool.random(using: &random) else { return [] }
        var joining = random.split()
        var added = joins(&joining)
        var watching = random.split()
        added += watchRegistrations(&watching)
        var referring = random.split()
        added += meetReferrer(&referring)
        return added
    }

    /// Somebody calls one of those who talk, and wants to be let in (RFC 3911).
    private mutating func joins(_ random: inout RandomSource) -> [Step] {
        for index in setting.phones.indices {
            setting.phones[index].transfers.joins = random.one(of: [true, true, false])
        }
        var added: [Step] = []
        for (index, step) in steps.enumerated() where added.count < 3 {
            guard case .deed(let caller, .call(let number, .phone(let callee), _)) = step.what else { continue }
            let visitor = phone(&random)
            let party = random.one(of: [caller, callee])
            let at = step.at + .milliseconds(300) + random.duration(upTo: .seconds(20))
            let deed = Deed.join(
                301 + UInt32(index), into: number, to: .phone(party), knows: random.one(of: [true, true, false]))
            guard visitor != party else { continue }
            added.append(Step(at: at, what: .deed(visitor, deed)))
        }
        return added
    }

    /// Who is registered asks its registrar to be told who is (RFC 3680).
    private func watchRegistrations(_ random: inout RandomSource) -> [Step] {
        var added: [Step] = []
        for number in 301...302 as ClosedRange<UInt32> {
            let watcher = phone(&random)
            let at = Instant.zero + random.duration(upTo: .seconds(40))
            let expires: UInt32 = random.one(of: [0, 60, 60, 120])
            let end = at + random.duration(upTo: .seconds(40))
            let endsEarly = random.one(of: [true, false, false])
            let deed = Deed.subscribe(number, to: .phone(watcher), .registration, expires: expires)
            guard setting.phones[watcher].proxy != nil else { continue }
            added.append(Step(at: at, what: .deed(watcher, deed)))
            if endsEarly { added.append(Step(at: end, what: .deed(watcher, .unsubscribe(number)))) }
        }
        return added
    }

    /// Somebody who wants a call placed, and says so outside the call that it names.
    private mutating func meetReferrer(_ random: inout RandomSource) -> [Step] {
        guard Bool.random(using: &random) else { return [] }
        let rogue = setting.rogues.count
        setting.rogues.append(.refersFromOutside)
        let actor = phone(&random)
        let at = Instant.zero + random.duration(upTo: .seconds(40))
        var added = [Step(at: at, what: .deed(actor, .call(299, to: .rogue(rogue), Deed.Placing())))]
        if Bool.random(using: &random) {
            added.append(Step(at: at, what: .fault(.troubles(rogue: rogue, phone: phone(&random)))))
        }
        let end = at + .seconds(1) + random.duration(upTo: .seconds(10))
        if Bool.random(using: &random) { added.append(Step(at: end, what: .deed(actor, .hangUp(299)))) }
        return added
    }
}
