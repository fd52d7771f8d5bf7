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
        return challenge.algorithm.digest.response(
            firstHash: first, nonce: challenge.nonce,
            protection: challenge.qop.map { (nonceCountText, cnonce, $0.rawValue) }, secondHash: second)
    }

    /// H(A1): who asks.
    private var firstHash: String? {
        let digest = challenge.algorithm.digest
        let key = digest.userHash(username: username, realm: challenge.realm, password: password)
        guard challenge.algorithm.isSession, let key else { return key }
        return digest.hash(key, challenge.nonce, cnonce)
    }

    /// H(A2): for what.
    private var secondHash: String? {
        let digest = challenge.algorithm.digest
        guard challenge.qop == .authInt else { return digest.requestHash(method: method, uri: uri) }
        guard let entity = digest.hexadecimal(of: body) else { return nil }
        return digest.hash(method.name, uri, entity)
    }

    private var nonceCountText: String {
        let digits = String(nonceCount, radix: 16)
        return String(repeating: "0", count: max(0, 8 - digits.utf8.count)) + digits
    }
}

extension MessageDigest {
    /// H(A1) without a session: all that is needed of a password to check who knows it.
    func userHash(username: String, realm: String, password: Secret) -> String? {
        hash(username, realm, password.revealed)
    }

    /// H(A2) without the body.
    func requestHash(method: Method, uri: String) -> String? {
        hash(method.name, uri)
    }

    /// The `response` parameter from both hashes; `protection` nil is the form of RFC 2069.
    func response(
        firstHash: String, nonce: String, protection: (nonceCount: String, cnonce: String, qop: String)?,
        secondHash: String
    ) -> String? {
        guard let protection else { return hash(firstHash, nonce, secondHash) }
        return hash(firstHash, nonce, protection.nonceCount, protection.cnonce, protection.qop, secondHash)
    }

    fileprivate func hash(_ pieces: String...) -> String? {
        hexadecimal(of: Array(pieces.joined(separator: ":").utf8))
    }
}
