import SIPMessages

/// The arithmetic of digest authentication: from a challenge and a password to credentials (RFC 2617 §3.2.2,
/// RFC 7616 §3.4, with SIP's changes in RFC 3261 §22.4).
struct DigestResponse {
    var challenge: DigestChallenge
    var username: String
    var password: Secret
    var method: Method
    /// As it stands in the request line.
    var uri: String
    var body: [UInt8]
    var cnonce: String
    /// How many requests used this nonce, this one included.
    var nonceCount: UInt32

    /// The parameters of Authorization or Proxy-Authorization; nil where the hash function is not to be had.
    var credentials: AuthenticationParameters? {
        guard let response else { return nil }
        var parameters = AuthenticationParameters(scheme: "Digest")
        parameters.append("username", quoted: username)
        parameters.append("realm", quoted: challenge.realm)
        parameters.append("nonce", quoted: challenge.nonce)
        parameters.append("uri", quoted: uri)
        parameters.append("response", quoted: response)
        if let token = challenge.algorithmToken { parameters.append("algorithm", token: token) }
        if let opaque = challenge.opaque { parameters.append("opaque", quoted: opaque) }
        if challenge.qop != nil || challenge.algorithm.isSession { parameters.append("cnonce", quoted: cnonce) }
        if let qop = challenge.qop {
            parameters.append("qop", token: qop.rawValue)
            parameters.append("nc", token: nonceCountText)
        }
        return parameters
    }

    /// The `response` parameter, in lower-case hexadecimal digits.
    var response: String? {
        guard let first = firstHash, let second = secondHash else { return nil }
        guard let qop = challenge.qop else { return hash(first, challenge.nonce, second) }
        return hash(first, challenge.nonce, nonceCountText, cnonce, qop.rawValue, second)
    }

    /// H(A1): who asks.
    private var firstHash: String? {
        let key = hash(username, challenge.realm, password.revealed)
        guard challenge.algorithm.isSession, let key else { return key }
        return hash(key, challenge.nonce, cnonce)
    }

    /// H(A2): for what.
    private var secondHash: String? {
        guard challenge.qop == .authInt else { return hash(method.name, uri) }
        guard let entity = challenge.algorithm.digest.hexadecimal(of: body) else { return nil }
        return hash(method.name, uri, entity)
    }

    private var nonceCountText: String {
        let digits = String(nonceCount, radix: 16)
        return String(repeating: "0", count: max(0, 8 - digits.utf8.count)) + digits
    }

    private func hash(_ pieces: String...) -> String? {
        challenge.algorithm.digest.hexadecimal(of: Array(pieces.joined(separator: ":").utf8))
    }
}
