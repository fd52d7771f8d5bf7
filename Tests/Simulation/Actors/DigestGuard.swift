import SIPMessages
import SIPUserAgent

/// The server's side of digest authentication (RFC 7616 §3.3, RFC 3261 §22.4): nonces that it gave, and how often each
/// was used.
struct DigestGuard: Sendable {
    let realm: String
    /// By user name.
    let passwords: [String: String]
    let algorithm: MessageDigest
    /// A nonce serves so many requests, then it is stale.
    let usesPerNonce: UInt32
    private var counts: [String: UInt32] = [:]
    private var random: Dice

    init(realm: String, passwords: [String: String], algorithm: MessageDigest, usesPerNonce: UInt32, seed: UInt64) {
        self.realm = realm
        self.passwords = passwords
        self.algorithm = algorithm
        self.usesPerNonce = usesPerNonce
        random = Dice(seed)
    }

    enum Verdict: Equatable {
        case welcome(user: String)
        /// No credentials, wrong ones, or a nonce that is not in use any more.
        case challenge(isStale: Bool)
    }

    mutating func judge(_ shown: [AuthenticationParameters], of method: Method) -> Verdict {
        for parameters in shown where parameters["realm"] == realm {
            guard let user = parameters["username"], let password = passwords[user], let nonce = parameters["nonce"],
                let uri = parameters["uri"], let response = parameters["response"], let count = parameters["nc"],
                let number = UInt32(count, radix: 16), let cnonce = parameters["cnonce"], let qop = parameters["qop"],
                let first = hash("\(user):\(realm):\(password)"), let second = hash("\(method.name):\(uri)"),
                response == hash("\(first):\(nonce):\(count):\(cnonce):\(qop):\(second)")
            else { continue }
            guard let used = counts[nonce], used < number, number <= usesPerNonce else {
                return .challenge(isStale: true)
            }
            counts[nonce] = number
            return .welcome(user: user)
        }
        return .challenge(isStale: false)
    }

    mutating func challenge(isStale: Bool) -> AuthenticationParameters {
        let nonce = String(random.next(), radix: 16) + String(random.next(), radix: 16)
        counts[nonce] = 0
        var parameters = AuthenticationParameters(scheme: "Digest")
        parameters.append("realm", quoted: realm)
        parameters.append("nonce", quoted: nonce)
        parameters.append("algorithm", token: algorithm.rawValue)
        parameters.append("qop", quoted: "auth")
        if isStale { parameters.append("stale", token: "true") }
        return parameters
    }

    /// After a restart no nonce is known.
    mutating func forget() {
        counts = [:]
    }

    private func hash(_ text: String) -> String? {
        algorithm.hexadecimal(of: Array(text.utf8))
    }
}
