import SIPMessages

/// The hash of a digest challenge, and whether its key is drawn anew for each nonce (`-sess`, RFC 7616 §3.4.2).
struct DigestAlgorithm: Hashable, Sendable {
    var digest: MessageDigest
    var isSession: Bool

    /// Nil for one that we do not know; a challenge without the parameter means MD5 (RFC 2617 §3.2.1).
    init?(_ token: String?) {
        guard let token else {
            (digest, isSession) = (.md5, false)
            return
        }
        for digest in MessageDigest.allCases {
            if token.equalsIgnoringCase(digest.rawValue) {
                (self.digest, isSession) = (digest, false)
                return
            }
            if token.equalsIgnoringCase("\(digest.rawValue)-sess") {
                (self.digest, isSession) = (digest, true)
                return
            }
        }
        return nil
    }
}

/// What the credentials protect (RFC 7616 §3.4.3).
enum QualityOfProtection: String, Hashable, Sendable {
    /// Method and URI.
    case auth
    /// The body too.
    case authInt = "auth-int"
}

/// A challenge of ours to answer: complete, and in terms that we know.
struct DigestChallenge: Hashable, Sendable {
    var realm: String
    var nonce: String
    var opaque: String?
    var algorithm: DigestAlgorithm
    /// The algorithm as the server wrote it, to be written back; nil where it wrote none.
    var algorithmToken: String?
    /// Nil is the form of RFC 2069, without nonce count and client nonce.
    var qop: QualityOfProtection?
    var isStale: Bool
    /// Whether a proxy asked (407), so that the answer goes into Proxy-Authorization.
    var isProxy: Bool

    /// Nil for another scheme, one that lacks realm or nonce, says a thing twice, or asks for what we do not know.
    init?(_ challenge: some Challenge, isProxy: Bool) {
        guard challenge.isDigest, !challenge.parameters.hasRepetition, let realm = challenge.realm,
            let nonce = challenge.nonce, let algorithm = DigestAlgorithm(challenge.algorithm)
        else { return nil }
        let offered = challenge.qop
        if offered.contains(QualityOfProtection.auth.rawValue) {
            qop = .auth
        } else if offered.contains(QualityOfProtection.authInt.rawValue) {
            qop = .authInt
        } else if offered.isEmpty {
            qop = nil
        } else {
            return nil
        }
        self.realm = realm
        self.nonce = nonce
        opaque = challenge.opaque
        self.algorithm = algorithm
        algorithmToken = challenge.algorithm
        isStale = challenge.isStale
        self.isProxy = isProxy
    }

    /// Every challenge of a 401 or 407 that can be answered; for each realm the one with the strongest hash.
    static func strongest(of response: Response) -> [DigestChallenge] {
        var found: [DigestChallenge] = []
        if response.status == 401 {
            let challenges = (try? response.headers.all(WWWAuthenticate.self)) ?? []
            found = challenges.compactMap { DigestChallenge($0, isProxy: false) }
        } else if response.status == 407 {
            let challenges = (try? response.headers.all(ProxyAuthenticate.self)) ?? []
            found = challenges.compactMap { DigestChallenge($0, isProxy: true) }
        }
        var strongest: [DigestChallenge] = []
        for challenge in found {
            if let index = strongest.firstIndex(where: { $0.realm == challenge.realm }) {
                if strongest[index].algorithm.digest < challenge.algorithm.digest { strongest[index] = challenge }
            } else {
                strongest.append(challenge)
            }
        }
        return strongest
    }
}
