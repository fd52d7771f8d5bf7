import EngineKit
import SIPMessages
import SIPUserAgent

/// What the people of a plan do, as commands to their phones.
extension Trial {
    mutating func command(for deed: Deed, at phone: Int) -> Command? {
        let account = AccountID(rawValue: 0)
        switch deed {
        case .register: return .register(account)
        case .unregister: return .unregister(account)
        case .call(let number, let callee, let placing):
            var call = OutgoingCall(
                target: plan.setting.target(callee, transport: placing.transport), media: World.media())
            call.offersInInvite = placing.offersInInvite
            call.redirectionLimit = placing.redirectionLimit
            return .call(CallHandle(rawValue: number), call)
        case .join(let number, let other, let callee, let knows):
            guard let join = join(into: other, to: callee, knows: knows) else { return nil }
            var call = OutgoingCall(target: plan.setting.target(callee, transport: nil), media: World.media())
            call.headers.append(join)
            return .call(CallHandle(rawValue: number), call)
        case .options(_, let callee):
            return ask(OutgoingRequest(.options, to: .address(plan.setting.target(callee, transport: nil))))
        case .quit: return .shutDown
        case .message(let callee):
            return ask(.message(nextText, to: .address(plan.setting.target(callee, transport: nil))))
        case .inquire(let method, let callee):
            return ask(OutgoingRequest(method, to: .address(plan.setting.target(callee, transport: nil))))
        case .subscribe(let number, let callee, let topic, let expires):
            let order = OutgoingSubscription(
                target: plan.setting.target(callee, transport: nil), event: EventPackage(topic.rawValue),
                expires: expires)
            return .subscribe(SubscriptionHandle(rawValue: number), order)
        case .unsubscribe(let number): return .unsubscribe(SubscriptionHandle(rawValue: number))
        case .appear(let isOpen): return .setPresence(OwnPresence(isOpen: isOpen))
        case .publish(let isOpen): return .publish(account, OwnPresence(isOpen: isOpen))
        case .retract: return .publish(account, nil)
        default:
            guard let call = deed.call.flatMap({ handle($0, at: phone) }) else { return nil }
            return command(for: deed, in: call, at: phone)
        }
    }

    /// What a person does within a call.
    private mutating func command(for deed: Deed, in call: CallHandle, at phone: Int) -> Command? {
        switch deed {
        case .ring: return .ring(call)
        case .progress: return .progress(call, World.media())
        case .redirect(_, let other):
            guard case .sip(let uri) = plan.setting.target(.phone(other), transport: nil) else { return nil }
            var headers = Headers()
            headers.append(Contact(uri))
            return .reject(call, 302, headers: headers)
        case .answer: return .answer(call, World.media())
        case .reject(_, let status): return .reject(call, status)
        case .hangUp: return .hangUp(call)
        case .hold: return .hold(call)
        case .resume: return .resume(call)
        case .reinvite: return .reinvite(call, nil)
        case .update: return .update(call, nil)
        case .transfer(_, let callee, let subscribes):
            return .transfer(call, .blind(plan.setting.target(callee, transport: nil)), subscribes: subscribes)
        case .connect(_, let other): return handle(other, at: phone).map { .transfer(call, .attended($0)) }
        case .digits(_, let count): return .sendDigits(call, (0..<count).compactMap { _ in nextDigit() })
        case .ask(_, let method): return ask(OutgoingRequest(method, to: .peer(of: call)))
        case .write: return ask(.message(nextText, to: .peer(of: call)))
        default: return nil
        }
    }

    /// The dialog of a call as one of its parties has it, where both have one.
    private func join(into number: UInt32, to party: Deed.Callee, knows: Bool) -> Join? {
        let placed = CallHandle(rawValue: number)
        guard case .phone(let party) = party,
            let caller = phones.first(where: { world.callID(of: placed, at: $0) != nil }),
            let callID = world.callID(of: placed, at: caller),
            let callee = phones.first(where: { $0 != caller && world.handle(ofIncoming: callID, at: $0) != nil }),
            let callerTag = world.tag(of: callID, at: caller), let calleeTag = world.tag(of: callID, at: callee)
        else { return nil }
        let (own, peer) = (phones[party] == caller) == knows ? (callerTag, calleeTag) : (calleeTag, callerTag)
        return Join(callID: callID, ownTag: own, peerTag: peer)
    }

    private mutating func ask(_ request: OutgoingRequest) -> Command {
        queries += 1
        return .request(RequestHandle(rawValue: queries), request)
    }

    /// A text that no other message has.
    private var nextText: String { "message \(queries)" }

    /// A digit other than the one before.
    private mutating func nextDigit() -> SignalledStep? {
        digits += 1
        return SignalledDigit(String(digits % 10), milliseconds: 100).map { .digit($0) }
    }

    /// The phone's own name for a call of the plan, on whichever side of it the phone is.
    private func handle(_ number: UInt32, at phone: Int) -> CallHandle? {
        let placed = CallHandle(rawValue: number)
        for host in phones {
            guard let callID = world.callID(of: placed, at: host) else { continue }
            return host == phones[phone] ? placed : world.handle(ofIncoming: callID, at: phones[phone])
        }
        return nil
    }
}
