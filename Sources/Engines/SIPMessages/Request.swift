/// A SIP request (RFC 3261 §7.1) with the header fields that every layer needs decoded, the rest raw in `headers`.
package struct Request: Equatable, Sendable {
    package var method: Method
    package var uri: URI
    /// Topmost first.
    package var vias: [Via]
    package var from: NameAddress
    package var to: NameAddress
    package var callID: String
    package var cSeq: CSeq
    /// Nil where the field is absent, as from peers of RFC 2543.
    package var maxForwards: Int?
    package var headers: Headers
    package var body: [UInt8]

    package init(
        method: Method, uri: URI, vias: [Via] = [], from: NameAddress, to: NameAddress, callID: String, cSeq: CSeq,
        maxForwards: Int? = 70, headers: Headers = Headers(), body: [UInt8] = []
    ) {
        self.method = method
        self.uri = uri
        self.vias = vias
        self.from = from
        self.to = to
        self.callID = callID
        self.cSeq = cSeq
        self.maxForwards = maxForwards
        self.headers = headers
        self.body = body
    }

    /// The answer with that status: Via, From, To, Call-ID and CSeq are those of the request (§8.2.6.2).
    ///
    /// `toTag` is added to To if the request has none there. A 100 also copies Timestamp (§8.2.6.1).
    package func response(_ status: StatusCode, reason: String? = nil, toTag: String? = nil) -> Response {
        var to = to
        if let toTag, to.tag == nil { to.tag = toTag }
        var response = Response(
            status: status, reason: reason, vias: vias, from: from, to: to, callID: callID, cSeq: cSeq)
        if status == 100, let timestamp = headers.first(.timestamp) {
            try? response.headers.append(.timestamp, timestamp)
        }
        return response
    }
}
