import EngineKit
import SIPMessages
import SIPUserAgent

extension FuzzTarget {
    /// A header field of authentication: the same after it was written.
    static func field<F: HeaderField & Equatable>(_ type: F.Type, _ bytes: [UInt8]) throws(Fault) {
        let value = String(decoding: bytes, as: UTF8.self)
        var headers = Headers()
        guard (try? headers.append(F.name, value)) != nil, let read = try? headers.first(F.self) else { return }
        var again = Headers()
        again.append(read)
        let same = (try? again.first(F.self)) == read
        try check(same, "written and read \(F.name) is another: \(value)")
    }

    /// A challenge: as a field, and as what our side has to answer.
    static func challenge<F: HeaderField & Equatable>(
        _ type: F.Type, _ bytes: [UInt8], isProxy: Bool
    ) throws(Fault) {
        try field(type, bytes)
        try answer(String(decoding: bytes, as: UTF8.self), isProxy: isProxy)
    }

    /// What our side answers to a challenge: nothing, or credentials that can be read, once and not for ever.
    private static func answer(_ value: String, isProxy: Bool) throws(Fault) {
        guard let address = try? NameAddress(parsing: "<sip:alice@example.com>"),
            let uri = try? URI(parsing: "sip:example.com")
        else { return }
        var request = Request(
            method: .register, uri: uri,
            vias: [Via(transport: .udp, host: .name("example.com"), branch: "z9hG4bKa")], from: address, to: address,
            callID: "c", cSeq: CSeq(1, .register))
        var response = request.response(isProxy ? 407 : 401)
        guard (try? response.headers.append(isProxy ? .proxyAuthenticate : .wwwAuthenticate, value)) != nil else {
            return
        }
        var authentication = DigestAuthentication(
            credentials: AccountCredentials(username: "alice", password: Secret("wonderland")))
        var attempts = AuthenticationAttempts()
        var random = RandomSource(seed: 1)
        var answered = 0
        while answered < 5 {
            let verdict = authentication.answer(
                response, to: &request, sentTo: isProxy ? .outboundProxy : .registrar, attempts: &attempts,
                random: &random)
            guard verdict == .authorized else { break }
            answered += 1
            try isReadBack(.request(request))
            let sent = request.headers.contains(isProxy ? .proxyAuthorization : .authorization)
            try check(sent, "authorized without credentials")
        }
        try check(answered < 5, "answered \(answered) times")
    }
}
