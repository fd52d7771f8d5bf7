import EngineKit
import SIPMessages

/// What a scripted agent needs to speak within a dialog: nothing is kept in step by itself, so that a script may break
/// any rule.
package struct ScriptedDialog: Sendable {
    package var callID: String
    package var localParty: NameAddress
    package var remoteParty: NameAddress
    package var remoteTarget: URI
    package var routes: [NameAddress]
    /// The CSeq number of the last request that the agent sent.
    package var sequence: UInt32

    /// The dialog of an agent that answers `invite` under `tag`.
    package init(answering invite: Request, tag: String) {
        callID = invite.callID
        localParty = invite.to
        localParty.tag = tag
        remoteParty = invite.from
        remoteTarget = Self.contact(in: invite.headers) ?? invite.from.uri
        routes = Self.recordRoutes(in: invite.headers)
        sequence = 100
    }

    /// The dialog of an agent whose `invite` was answered by `response`.
    package init(calling invite: Request, answeredBy response: Response) {
        callID = invite.callID
        localParty = invite.from
        remoteParty = response.to
        remoteTarget = Self.contact(in: response.headers) ?? invite.uri
        routes = Self.recordRoutes(in: response.headers).reversed()
        sequence = invite.cSeq.number
    }

    private static func contact(in headers: Headers) -> URI? {
        (try? headers.first(Contact.self))?.uri
    }

    private static func recordRoutes(in headers: Headers) -> [NameAddress] {
        ((try? headers.all(RecordRoute.self)) ?? []).map(\.address)
    }

    /// The ACK of a 2xx to the INVITE with that CSeq number.
    package func acknowledgement(of sequence: UInt32, via: Via) -> Request {
        written(.ack, sequence, via: via)
    }

    package mutating func request(_ method: Method, via: Via) -> Request {
        sequence += 1
        return written(method, sequence, via: via)
    }

    private func written(_ method: Method, _ sequence: UInt32, via: Via) -> Request {
        var request = Request(
            method: method, uri: remoteTarget, vias: [via], from: localParty, to: remoteParty, callID: callID,
            cSeq: CSeq(sequence, method))
        for route in routes { request.headers.append(Route(route)) }
        return request
    }
}

extension World {
    /// A Via of the agent with a branch that was not used before.
    package mutating func via(of agent: HostID, transport: Transport = .udp) -> Via {
        branches += 1
        let address = hosts[agent.index].address
        return Via(
            transport: transport, host: .address(address.address), port: address.port,
            branch: "z9hG4bK-agent-\(branches)")
    }

    /// An INVITE of the agent outside any dialog, with an offer unless told otherwise.
    package mutating func invite(
        _ phone: HostID, from agent: HostID, user: String = "bob", offers: Bool = true, transport: Transport = .udp
    ) -> Request {
        var invite = request(.invite, phone, from: agent, user: user, transport: transport)
        invite.headers.append(contact(of: agent))
        return offers ? invite.carrying(description(of: agent)) : invite
    }

    /// A request of the agent outside any dialog.
    package mutating func request(
        _ method: Method, _ phone: HostID, from agent: HostID, user: String = "bob", transport: Transport = .udp
    ) -> Request {
        let via = via(of: agent, transport: transport)
        let name = hosts[agent.index].name
        var from = NameAddress(uri: uri(of: agent, user: name))
        from.tag = "\(name)-tag-\(branches)"
        let target = uri(of: phone, user: user)
        return Request(
            method: method, uri: target, vias: [via], from: from, to: NameAddress(uri: target),
            callID: "\(name)-call-\(branches)", cSeq: CSeq(1, method))
    }

    package func contact(of agent: HostID) -> Contact {
        let address = hosts[agent.index].address
        var uri = SIPURI(user: hosts[agent.index].name, host: .address(address.address))
        uri.port = address.port
        return Contact(uri)
    }

    /// A 2xx or reliable answer of the agent to `invite`: with Contact and, unless told otherwise, a description.
    package func answer(
        _ status: StatusCode, to invite: Request, from agent: HostID, tag: String, describes: Bool = true
    ) -> Response {
        var response = invite.response(status, toTag: tag)
        response.headers.append(contact(of: agent))
        for recorded in invite.headers.values(.recordRoute) { response = response.with(.recordRoute, recorded) }
        return describes ? response.carrying(description(of: agent)) : response
    }

    /// A session description of the agent: one audio stream in PCMU.
    package func description(
        of agent: HostID, port: UInt16 = 40_000, version: Int = 1, direction: String = "sendrecv"
    ) -> [UInt8] {
        let address = hosts[agent.index].address.address
        let family = address.isV4 ? "IP4" : "IP6"
        let lines = [
            "v=0", "o=- 1 \(version) IN \(family) \(address)", "s=-", "c=IN \(family) \(address)", "t=0 0",
            "m=audio \(port) RTP/AVP 0 101", "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000",
            "a=\(direction)", "",
        ]
        return Array(lines.joined(separator: "\r\n").utf8)
    }
}

/// A message that a script makes up, of either kind.
package protocol ScriptedMessage {
    var headers: Headers { get set }
    var body: [UInt8] { get set }
}

extension Request: ScriptedMessage {}
extension Response: ScriptedMessage {}

extension ScriptedMessage {
    /// The message with one field more.
    package func with(_ name: HeaderName, _ value: String) -> Self {
        var copy = self
        try? copy.headers.append(name, value)
        return copy
    }

    package func carrying(_ description: [UInt8]) -> Self {
        var copy = with(.contentType, "application/sdp")
        copy.body = description
        return copy
    }
}

extension Request {
    /// The CANCEL of this INVITE or the ACK of its refusal: this request under another method, without what is its own.
    package func bare(_ method: Method) -> Request {
        var request = self
        request.method = method
        request.cSeq.method = method
        request.headers = Headers()
        request.body = []
        return request
    }
}
