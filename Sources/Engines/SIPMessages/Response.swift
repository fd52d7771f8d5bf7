/// A SIP response (RFC 3261 §7.2) with the header fields that every layer needs decoded, the rest raw in `headers`.
package struct Response: Equatable, Sendable {
    package var status: StatusCode
    package var reason: String
    /// Topmost first.
    package var vias: [Via]
    package var from: NameAddress
    package var to: NameAddress
    package var callID: String
    package var cSeq: CSeq
    package var headers: Headers
    package var body: [UInt8]
    /// The lines of From, To, Call-ID and CSeq as a faulty request had them, written in place of the typed values:
    /// an answer copies these fields (§8.2.6.2) even where they could not be understood.
    var copiedLines: [UInt8]?

    /// `reason` nil means the default phrase.
    package init(
        status: StatusCode, reason: String? = nil, vias: [Via], from: NameAddress, to: NameAddress, callID: String,
        cSeq: CSeq, headers: Headers = Headers(), body: [UInt8] = []
    ) {
        self.status = status
        self.reason = reason ?? status.reason
        self.vias = vias
        self.from = from
        self.to = to
        self.callID = callID
        self.cSeq = cSeq
        self.headers = headers
        self.body = body
    }
}
