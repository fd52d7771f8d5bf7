import EngineKit
import SIPMessages
import SIPUserAgent

extension FuzzTarget {
    /// What our side answers to a challenge: nothing, or credentials that can be read, once and not for ever.
    static func answer(_ value: String, isProxy: Bool) throws(Fault) {
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
