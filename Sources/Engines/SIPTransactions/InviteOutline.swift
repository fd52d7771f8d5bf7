import SIPMessages

/// What is left to keep of an INVITE for the requests that are built from it: ACK (RFC 3261 §17.1.1.3) and CANCEL (§9.1).
struct InviteOutline: Equatable, Sendable {
    /// The INVITE without its body, with one Via and with no other headers than Route.
    private let template: Request

    init(of invite: Request) {
        var request = Request(
            method: .ack, uri: invite.uri, from: invite.from, to: invite.to, callID: invite.callID,
            cSeq: CSeq(number: invite.cSeq.number, method: .ack))
        request.vias = Array(invite.vias.prefix(1))
        for route in invite.headers.values(.route) {
            // What was read or written before can't be refused now.
            try? request.headers.append(.route, route)
        }
        template = request
    }

    /// The ACK of a non-2xx final response: To is the response's, all else the INVITE's.
    func acknowledgement(of response: Response) -> Request {
        var request = template
        request.to = response.to
        return request
    }

    /// The CANCEL of the INVITE: all is the INVITE's, the To header without a tag that a response may have given.
    func cancelRequest() -> Request {
        var request = template
        request.method = .cancel
        request.cSeq = CSeq(number: template.cSeq.number, method: .cancel)
        return request
    }
}
