import EngineKit
import SIPMessages
import SIPTransactions
import SIPUserAgent

/// What tests of transfers need: a phone in a call with a scripted Carol, who speaks for herself.
extension World {
    /// Alice's phone called Carol, who answered.
    mutating func aliceTalksToCarol(_ configuration: UserAgentConfiguration? = nil) throws -> Request {
        let invite = try aliceCallsCarol(configuration)
        try reply(200, to: invite, from: "carol", contact: carolContact, body: World.answerText)
        return invite
    }

    /// Carol called Bob's phone, which answered. The Call-ID is `call-1`, Carol's tag `peer`.
    mutating func carolTalksToBob(
        _ configuration: UserAgentConfiguration? = nil, headers: [(HeaderName, String)] = []
    ) throws -> (CallHandle, bobTag: String) {
        let (invite, handle) = try carolCallsBob(configuration, headers: headers)
        perform(.answer(handle, World.media), by: "bob")
        run(for: .milliseconds(20))
        guard let response = received(200, at: "carol").last, let tag = response.to.tag else { throw NoCall() }
        acknowledge(response, of: invite, from: "carol", to: "bob")
        return (handle, tag)
    }

    /// Dave sends Bob an INVITE with those fields, and time passes.
    ///
    /// - Returns: the status of the last answer that he has by then; nil while Bob's phone rings.
    mutating func daveCallsBob(_ headers: [(HeaderName, String)]) throws -> Int? {
        addScripted("dave", at: "192.0.2.4")
        let invite = try request(
            .invite, from: "dave", to: "bob", callID: "call-2", fromTag: "dave", body: World.answerText,
            headers: headers)
        ask(invite, from: "dave", to: "bob")
        return lastAnswer(to: .invite, at: "dave")?.status.value
    }

    /// Carol sends Bob a request within their call, and time passes for the answer.
    mutating func carolSends(
        _ method: Method, sequence: UInt32, bobTag: String, body: String = "", headers: [(HeaderName, String)] = []
    ) throws {
        var request = try request(
            method, from: "carol", to: "bob", sequence: sequence, toTag: bobTag, headers: headers)
        request.headers.append(Contact.address(try NameAddress(parsing: carolContact)))
        request.body = Array(body.utf8)
        ask(request, from: "carol", to: "bob")
    }

    /// Carol asks Bob to call somebody else.
    mutating func carolRefers(
        to target: String, sequence: UInt32 = 2, bobTag: String, headers: [(HeaderName, String)] = []
    ) throws {
        try carolSends(.refer, sequence: sequence, bobTag: bobTag, headers: [(.referTo, target)] + headers)
    }

    /// Carol tells Alice how the call goes that a REFER of hers led to.
    mutating func carolNotifies(
        about refer: Request, _ state: String, _ status: String?, sequence: UInt32, event: String? = nil
    ) throws {
        var request = try request(
            .notify, from: "carol", to: "alice", callID: refer.callID, sequence: sequence, toTag: refer.from.tag,
            headers: [(.event, event ?? "refer;id=\(refer.cSeq.number)"), (.subscriptionState, state)])
        request.headers.append(Contact.address(try NameAddress(parsing: carolContact)))
        if let status {
            request.headers.append(ContentType.sipFragment)
            request.body = Array("SIP/2.0 \(status)\r\n".utf8)
        }
        ask(request, from: "carol", to: "alice")
    }

    /// The last answer that a scripted peer was sent to a request of that method.
    func lastAnswer(to method: Method, at name: String) -> Response? {
        (mailbox[name] ?? []).reversed().lazy.compactMap { message in
            if case .response(let response) = message, response.cSeq.method == method { response } else { nil }
        }.first
    }

    /// What Carol was told of the call that her REFER led to: the state of the subscription, and the status line.
    var notifications: [String] {
        (mailbox["carol"] ?? []).compactMap { message in
            guard case .request(let request) = message, request.method == .notify,
                let state = request.headers.first(.subscriptionState)
            else { return nil }
            let line = StatusFragment(parsing: request.body)
            return "\(state) \(line.map { "\($0.status) \($0.reason)" } ?? "-")"
        }
    }

    func transfers(of name: String) -> [TransferProgress] {
        (events[name] ?? []).compactMap { if case .transferProgress(_, let progress) = $0 { progress } else { nil } }
    }

    func transferRequests(at name: String) -> [TransferRequest] {
        (events[name] ?? []).compactMap { if case .transferRequested(_, let request) = $0 { request } else { nil } }
    }
}

let triggered = CallHandle(rawValue: 2)
