import EngineKit
import SIPMessages
import SIPTransactions

/// A peer that breaks rules, each in a way of its own. What it says ends after two minutes.
package struct Rogue: Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        /// Says nothing at all.
        case silent
        /// Calls, and never acknowledges.
        case neverAcknowledges
        /// Takes part in calls, and never answers a BYE.
        case deafToBye
        /// Repeats its 200 whatever comes back.
        case repeatsForEver
        /// Challenges every request, each time with another nonce.
        case challengesForEver
        /// Rings as twelve phones, of which five answer.
        case forksWildly
        /// Sends the caller round and round.
        case redirectsForEver
        /// Answers 33 s after the INVITE, cancelled or not.
        case answersLate
        /// Answers from another port than it was asked at.
        case answersFromElsewhere
        /// Answers with what is no good answer: no Contact, no tag, no description, another branch.
        case answersBadly
        /// Answers with octets that are no message.
        case talksNonsense
        /// Sends hundreds of requests.
        case floods
        /// Pretends to be the other end of calls that it knows nothing of.
        case spoofs
        /// Takes calls, and refuses every change of them.
        case refusesChanges
        /// Answers under the branch of the request with what answers another one.
        case answersForOthers
        /// Wants whoever talks to it to call somebody else.
        case refers
        /// Tells those who ask to be told what they did not ask for, or nothing, or for ever.
        case notifiesBadly
        /// Takes part in a call, and asks outside it for another one.
        case refersFromOutside
    }

    /// Those that are met on errands, and those that any seed may meet.
    static let onErrands: [Kind] = [.refusesChanges, .answersForOthers, .refers, .notifiesBadly]
    static let usual = Kind.allCases.filter { $0 != .refersFromOutside && !onErrands.contains($0) }

    let kind: Kind
    let name: String
    let address: SocketAddress
    var dice: Dice
    private var pending: [(at: Instant, bytes: [UInt8], to: SocketAddress, from: SocketAddress)] = []
    var tags = 0
    /// Calls that it placed itself.
    private var own: [String: Request] = [:]
    /// Requests of its own outside all dialogs, by Call-ID.
    var asked: [String: Request] = [:]

    init(_ kind: Kind, name: String, address: SocketAddress, seed: UInt64) {
        self.kind = kind
        self.name = name
        self.address = address
        dice = Dice(seed)
    }

    var deadline: Instant? { pending.map(\.at).min() }

    mutating func nextTransmit(at now: Instant) -> Transmit? {
        guard let index = pending.indices.filter({ pending[$0].at <= now }).min(by: { pending[$0].at < pending[$1].at })
        else { return nil }
        let due = pending.remove(at: index)
        return Transmit(bytes: due.bytes, flow: Flow(transport: .udp, local: due.from, remote: due.to))
    }

    mutating func say(
        _ bytes: [UInt8], to flow: Flow, at instant: Instant, from other: SocketAddress? = nil
    ) {
        guard pending.count < 1000 else { return }
        pending.append((instant, bytes, flow.remote, other ?? address))
    }

    // MARK: - Being called

    mutating func receive(_ message: Message, over flow: Flow, at now: Instant) {
        switch message {
        case .request(let request): receive(request, over: flow, at: now)
        case .response(let response): receive(response, over: flow, at: now)
        }
    }

    private mutating func receive(_ request: Request, over flow: Flow, at now: Instant) {
        switch request.method {
        case .ack:
            return
        case .invite:
            answer(request, over: flow, at: now)
        case .bye where kind == .deafToBye, .cancel where kind == .answersLate:
            return
        case .cancel:
            if kind == .silent { return }
            say(request.response(200, toTag: "r").bytes(), to: flow, at: now)
        case .update where kind == .refusesChanges:
            say(request.response(488).bytes(), to: flow, at: now)
        case .subscribe where kind == .notifiesBadly, .refer where kind == .notifiesBadly:
            notify(of: request, over: flow, at: now)
        case .notify where kind == .refers || kind == .refersFromOutside:
            // It hears how it goes, or hangs the phone up with a bad answer.
            say(request.response(dice.one(of: [200, 481, 500])).bytes(), to: flow, at: now)
        default:
            if kind == .silent { return }
            if kind == .challengesForEver { return challenge(request, over: flow, at: now) }
            say(request.response(request.method == .bye ? 200 : 405, toTag: "r").bytes(), to: flow, at: now)
        }
    }

    private mutating func answer(_ invite: Request, over flow: Flow, at now: Instant) {
        let isFirst = invite.to.tag == nil
        switch kind {
        case .silent:
            return
        case .challengesForEver:
            challenge(invite, over: flow, at: now)
        case .redirectsForEver:
            tags += 1
            var response = invite.response(302, toTag: "r\(tags)")
            response.headers.append(contact(user: tags.isMultiple(of: 3) ? "loop" : "hop\(tags)"))
            say(response.bytes(), to: flow, at: now)
        case .forksWildly where isFirst:
            for fork in 0..<12 {
                say(accepting(invite, 180, tag: "fork\(fork)", describes: false).bytes(), to: flow, at: now)
            }
            for fork in 0..<12 {
                let at = now + .milliseconds(100 * fork)
                say(accepting(invite, 200, tag: "fork\(fork)").bytes(), to: flow, at: at)
            }
        case .answersLate where isFirst:
            say(accepting(invite, 180, tag: "late", describes: false).bytes(), to: flow, at: now)
            for second in [33, 34, 38] {
                say(accepting(invite, 200, tag: "late").bytes(), to: flow, at: now + .seconds(second))
            }
        case .answersFromElsewhere:
            let elsewhere = SocketAddress(address.address, port: address.port + 30)
            say(invite.response(180, toTag: "else").bytes(), to: flow, at: now, from: elsewhere)
            let response = accepting(invite, 200, tag: "else")
            say(response.bytes(), to: flow, at: now + .milliseconds(300), from: elsewhere)
        case .answersBadly:
            say(bad(invite).bytes(), to: flow, at: now + .milliseconds(200))
        case .talksNonsense:
            var bytes = accepting(invite, 200, tag: "nonsense").bytes()
            for _ in 0..<Int.random(in: 1...40, using: &dice) {
                bytes[Int.random(in: bytes.indices, using: &dice)] = UInt8.random(in: 0...255, using: &dice)
            }
            say(bytes, to: flow, at: now)
        case .repeatsForEver:
            for repetition in 0..<40 {
                let at = now + .milliseconds(1500 * repetition)
                say(accepting(invite, 200, tag: "again").bytes(), to: flow, at: at)
            }
        case .refusesChanges where !isFirst:
            say(invite.response(488).bytes(), to: flow, at: now)
        case .answersForOthers:
            answerForAnother(invite, over: flow, at: now)
        case .refers where isFirst:
            say(accepting(invite, 200, tag: "refers").bytes(), to: flow, at: now + .milliseconds(200))
            refer(in: ScriptedDialog(answering: invite, tag: "refers"), over: flow, at: now + .seconds(1))
        case .refersFromOutside where isFirst:
            say(accepting(invite, 200, tag: "outside").bytes(), to: flow, at: now + .milliseconds(200))
            let dialog = ScriptedDialog(answering: invite, tag: "outside")
            referFromOutside(dialog, over: flow, at: now + .seconds(1))
        case .neverAcknowledges, .deafToBye, .floods, .spoofs, .forksWildly, .answersLate, .refusesChanges, .refers,
            .notifiesBadly, .refersFromOutside:
            say(accepting(invite, 200, tag: "rogue").bytes(), to: flow, at: now + .milliseconds(200))
        }
    }

    private mutating func challenge(_ request: Request, over flow: Flow, at now: Instant) {
        tags += 1
        let isProxy = tags.isMultiple(of: 2)
        var parameters = AuthenticationParameters(scheme: "Digest")
        parameters.append("realm", quoted: tags.isMultiple(of: 3) ? "evil.example" : "a.example")
        parameters.append("nonce", quoted: "\(name)-\(tags)")
        parameters.append("qop", quoted: "auth")
        parameters.append("stale", token: "true")
        var response = request.response(isProxy ? 407 : 401, toTag: "r\(tags)")
        if isProxy {
            response.headers.append(ProxyAuthenticate(parameters: parameters))
        } else {
            response.headers.append(WWWAuthenticate(parameters: parameters))
        }
        say(response.bytes(), to: flow, at: now)
    }

    private mutating func bad(_ invite: Request) -> Response {
        tags += 1
        var response = accepting(invite, 200, tag: "bad\(tags)")
        switch Int.random(in: 0..<5, using: &dice) {
        case 0: response.headers.removeAll(.contact)
        case 1: response.to.tag = nil
        case 2: response = accepting(invite, 200, tag: "bad\(tags)", describes: false)
        case 3: response.vias[0].branch = "z9hG4bK-other"
        default: response.body = Array("v=0\r\no=-\r\n".utf8)
        }
        return response
    }

    func accepting(
        _ invite: Request, _ status: StatusCode, tag: String, describes: Bool = true
    ) -> Response {
        var response = invite.response(status, toTag: tag)
        response.headers.append(contact(user: "rogue"))
        for entry in (try? invite.headers.all(RecordRoute.self)) ?? [] { response.headers.append(entry) }
        return describes ? response.carrying(description) : response
    }

    func contact(user: String) -> Contact {
        Contact(SIPURI(user: user, host: .address(address.address), port: address.port))
    }

    private var description: [UInt8] {
        let lines = [
            "v=0", "o=- 1 1 IN IP4 \(address.address)", "s=-", "c=IN IP4 \(address.address)", "t=0 0",
            "m=audio 40000 RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "",
        ]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    // MARK: - Calling

    /// Begins to trouble a phone.
    mutating func trouble(_ phone: SocketAddress, at now: Instant) {
        let flow = Flow(transport: .udp, local: address, remote: phone)
        switch kind {
        case .floods:
            for number in 0..<300 {
                let at = now + .milliseconds(number * 5)
                let method: Method = [.options, .invite, .message, .bye, .other("NONSENSE")][number % 5]
                say(request(method, to: phone).bytes(), to: flow, at: at)
            }
        case .spoofs:
            for method in [Method.bye, .cancel, .ack, .invite, .options] {
                var request = request(method, to: phone)
                request.to.tag = String(dice.next(), radix: 16)
                say(request.bytes(), to: flow, at: now)
            }
            say(request(.invite, to: phone).response(200, toTag: "spoof").bytes(), to: flow, at: now)
        case .talksNonsense:
            for number in 0..<30 {
                let length = Int.random(in: 0...1500, using: &dice)
                let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &dice) }
                say(bytes, to: flow, at: now + .milliseconds(number * 20))
            }
        default:
            let invite = request(.invite, to: phone).carrying(description)
            own[invite.callID] = invite
            say(invite.bytes(), to: flow, at: now)
        }
    }

    private mutating func request(_ method: Method, to phone: SocketAddress) -> Request {
        tags += 1
        var uri = SIPURI(user: "peer", host: .address(phone.address))
        uri.port = phone.port
        var from = NameAddress(uri: .sip(SIPURI(user: "rogue", host: .address(address.address))))
        from.tag = "\(name)\(tags)"
        let via = Via(
            transport: .udp, host: .address(address.address), port: address.port,
            branch: "\(Via.magicCookie)-\(name)-\(tags)")
        var request = Request(
            method: method, uri: .sip(uri), vias: [via], from: from, to: NameAddress(uri: .sip(uri)),
            callID: "\(name)-\(tags)", cSeq: CSeq(1, method))
        request.headers.append(contact(user: "rogue"))
        return request
    }

    /// What becomes of its own calls.
    private mutating func receive(_ response: Response, over flow: Flow, at now: Instant) {
        if response.cSeq.method == .refer { return followReferral(response, over: flow, at: now) }
        guard response.cSeq.method == .invite, response.status.isFinal, kind != .neverAcknowledges, kind != .silent,
            let branch = response.vias.first?.branch
        else { return }
        tags += 1
        let isSuccess = response.status.isSuccess
        let via = Via(
            transport: .udp, host: .address(address.address), port: address.port,
            branch: isSuccess ? "\(Via.magicCookie)-\(name)-\(tags)" : branch)
        let target = (try? response.headers.first(Contact.self))?.uri ?? response.to.uri
        let acknowledgement = Request(
            method: .ack, uri: target, vias: [via], from: response.from, to: response.to, callID: response.callID,
            cSeq: CSeq(response.cSeq.number, .ack))
        say(acknowledgement.bytes(), to: flow, at: now)
        if kind == .refers, isSuccess, let own = own[response.callID] {
            refer(in: ScriptedDialog(calling: own, answeredBy: response), over: flow, at: now + .seconds(1))
        }
        if kind == .refersFromOutside, isSuccess, let own = own[response.callID] {
            let dialog = ScriptedDialog(calling: own, answeredBy: response)
            referFromOutside(dialog, over: flow, at: now + .seconds(1))
        }
    }
}
