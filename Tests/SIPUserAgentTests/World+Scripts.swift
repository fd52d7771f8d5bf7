import EngineKit
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// What tests need to speak for a peer by hand.
extension World {
    static let answerText = """
        v=0\r
        o=- 1 1 IN IP4 192.0.2.9\r
        s=-\r
        c=IN IP4 192.0.2.9\r
        t=0 0\r
        m=audio 20000 RTP/AVP 0\r
        a=rtpmap:0 PCMU/8000\r

        """

    /// How a call ends in which Carol does not say a word any more.
    static let silence = CallEnd(cause: .timedOut, by: .local, reason: "timed out, udp 192.0.2.9:5060")

    /// The last request of that method that a scripted peer was sent.
    func last(_ method: Method, at name: String) -> Request? {
        (mailbox[name] ?? []).reversed().lazy.compactMap { message in
            if case .request(let request) = message, request.method == method { request } else { nil }
        }.first
    }

    /// Every response of that status that a scripted peer was sent.
    func received(_ status: StatusCode, at name: String) -> [Response] {
        (mailbox[name] ?? []).compactMap { message in
            if case .response(let response) = message, response.status == status { response } else { nil }
        }
    }

    /// A scripted peer answers a request.
    mutating func reply(
        _ status: StatusCode, to request: Request, from name: String, tag: String? = "peer", contact: String? = nil,
        body: String? = nil, headers: [(HeaderName, String)] = []
    ) throws {
        var response = request.response(status, toTag: tag)
        if let contact { response.headers.append(Contact.address(try NameAddress(parsing: contact))) }
        for (name, value) in headers { try response.headers.append(name, value) }
        if let body {
            response.headers.append(ContentType.sdp)
            response.body = Array(body.utf8)
        }
        let target = request.from.uri.sipURI?.user ?? "alice"
        send(.response(response), from: name, to: target)
        run(for: .milliseconds(20))
    }

    /// A request that a scripted peer makes up; the branch is drawn from its text, so that it can be sent again.
    func request(
        _ method: Method, from name: String, to target: String, callID: String = "call-1", sequence: UInt32 = 1,
        fromTag: String? = "peer", toTag: String? = nil, branch: String? = nil, body: String? = nil,
        headers: [(HeaderName, String)] = []
    ) throws -> Request {
        guard let source = addresses[name], let destination = addresses[target] else { throw NoCall() }
        var from = try NameAddress(parsing: "<sip:\(name)@\(source.address)>")
        from.tag = fromTag
        var to = try NameAddress(parsing: "<sip:\(target)@\(destination.address)>")
        to.tag = toTag
        var via = Via(
            transport: .udp, host: .address(source.address), port: source.port,
            branch: branch ?? "z9hG4bK\(method.name)\(callID)\(sequence)")
        via.rport = .requested
        var request = Request(
            method: method, uri: try URI(parsing: "sip:\(target)@\(destination.address)"), vias: [via], from: from,
            to: to, callID: callID, cSeq: CSeq(number: sequence, method: method))
        if method == .invite {
            request.headers.append(Contact.address(try NameAddress(parsing: "<sip:\(name)@\(source)>")))
        }
        for (name, value) in headers { try request.headers.append(name, value) }
        if let body {
            request.headers.append(ContentType.sdp)
            request.body = Array(body.utf8)
        }
        return request
    }

    /// A scripted peer sends a request, and time passes for its answer.
    mutating func ask(_ request: Request, from name: String, to target: String) {
        send(.request(request), from: name, to: target)
        run(for: .milliseconds(20))
    }

    /// The second half of a call that a scripted peer placed: its ACK.
    mutating func acknowledge(_ response: Response, of invite: Request, from name: String, to target: String) {
        var request = invite.bare(.ack)
        request.to = response.to
        request.vias[0].branch = "z9hG4bKack\(invite.cSeq.number)"
        ask(request, from: name, to: target)
    }

    /// Alice calls a scripted Carol, who has the INVITE now.
    mutating func aliceCallsCarol(
        _ configuration: UserAgentConfiguration? = nil, call: OutgoingCall? = nil
    ) throws
        -> Request
    {
        add("alice", at: "192.0.2.1", configuration: configuration)
        addScripted("carol", at: "192.0.2.9")
        let call = try call ?? OutgoingCall(target: target("sip:carol@192.0.2.9"), media: Self.media)
        perform(.call(caller, call), by: "alice")
        run(for: .milliseconds(20))
        guard let invite = last(.invite, at: "carol") else { throw NoCall() }
        return invite
    }

    /// A scripted Carol calls Bob, whose phone rings.
    mutating func carolCallsBob(
        _ configuration: UserAgentConfiguration? = nil, body: String? = World.answerText,
        headers: [(HeaderName, String)] = []
    ) throws -> (invite: Request, handle: CallHandle) {
        add("bob", at: "192.0.2.2", configuration: configuration)
        addScripted("carol", at: "192.0.2.9")
        let invite = try request(.invite, from: "carol", to: "bob", body: body, headers: headers)
        ask(invite, from: "carol", to: "bob")
        guard let handle = incoming(at: "bob") else { throw NoCall() }
        return (invite, handle)
    }
}

extension Request {
    /// The CANCEL of this INVITE or the ACK of its refusal: this request under another method, without what is its own.
    func bare(_ method: Method) -> Request {
        var request = self
        request.method = method
        request.cSeq.method = method
        request.headers = Headers()
        request.body = []
        return request
    }
}

let carolContact = "<sip:carol@192.0.2.9:5060>"

extension World: CustomTestStringConvertible {
    var testDescription: String { steps().joined(separator: ", ") }
}
