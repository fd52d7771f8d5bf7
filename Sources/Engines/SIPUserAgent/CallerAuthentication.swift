import EngineKit
import SIPMessages

/// What the credentials of a request are worth.
package enum CallerVerdict: Hashable, Sendable {
    /// The sender knows the password of that user.
    case proven(username: String)
    /// There are none for us: the sender is asked.
    case missing
    /// The password is right, the nonce is too old, not ours, or was used with that count before.
    case stale
    /// An unknown user, or a wrong password.
    case wrong
}

/// Digest authentication of those who call us, RFC 3261 §22.2, RFC 7616, RFC 8760. It keeps no state of whom it
/// challenged; of passwords only the hashes that a check needs.
package struct CallerAuthentication: Sendable {
    private struct User: Hashable, Sendable {
        var name: String
        var realm: String
        var digest: MessageDigest
    }

    /// H(A1) of each user.
    private var userHashes: [User: String] = [:]
    /// In the order of the configuration, with the hashes of each, best first (RFC 8760 §2.4).
    private var realms: [(name: String, digests: [MessageDigest])] = []
    private var nonces: ServerNonce
    private var counts = NonceCounts()
    /// Stands for the hash of a user that there is not, so that one takes as long as the other.
    private let decoy: String

    /// How many credentials of one request are looked at.
    static let checkedCredentials = 4

    package init(_ callers: [CallerCredentials], random: RandomSource) {
        var random = random
        decoy = random.hexadecimal(64)
        nonces = ServerNonce(random: random.split())
        for caller in callers {
            let index = realms.firstIndex { $0.name == caller.realm } ?? realms.endIndex
            if index == realms.endIndex { realms.append((caller.realm, [])) }
            for digest in caller.digests.sorted(by: >) {
                guard
                    let hash = digest.userHash(
                        username: caller.username, realm: caller.realm, password: caller.password)
                else { continue }
                userHashes[User(name: caller.username, realm: caller.realm, digest: digest)] = hash
                if !realms[index].digests.contains(digest) { realms[index].digests.append(digest) }
            }
            realms[index].digests.sort(by: >)
        }
    }

    /// Whether there is anybody who could prove anything.
    package var isEmpty: Bool { userHashes.isEmpty }

    /// Nonces that are remembered because they were used.
    var nonceCount: Int { counts.count }

    /// How long after its last use no nonce is remembered any more.
    static let memory = Duration.seconds(Int64(ServerNonce.lifetime) + 1)

    mutating func forgetOldNonces(at now: Instant) { counts.forgetOld(at: now) }

    /// Checks the credentials of a request; a nonce count that was good is used up.
    package mutating func judge(_ request: Request, from source: SourceTable.Key, at now: Instant) -> CallerVerdict {
        let all = (try? request.headers.all(Authorization.self)) ?? []
        var verdict = CallerVerdict.missing
        for credentials in all.lazy.compactMap({ Claim($0) }).prefix(Self.checkedCredentials)
        where realms.contains(where: { $0.name == credentials.realm }) {
            guard isRight(credentials, method: request.method) else {
                verdict = .wrong
                continue
            }
            let stamp = nonces.stamp(of: credentials.nonce, realm: credentials.realm, source: source, at: now)
            guard let stamp, counts.use(credentials.nonceCount, of: stamp, at: now) else { return .stale }
            return .proven(username: credentials.username)
        }
        return verdict
    }

    /// The challenges of a 401: for each realm one with each hash, best first, or with `isShort` the best one alone.
    package mutating func challenges(
        isShort: Bool = false, isStale: Bool, to source: SourceTable.Key, at now: Instant
    ) -> [WWWAuthenticate] {
        var challenges: [WWWAuthenticate] = []
        for (realm, digests) in realms {
            guard let nonce = nonces.make(realm: realm, source: source, at: now) else { continue }
            for digest in digests.prefix(isShort ? 1 : digests.count) {
                var parameters = AuthenticationParameters(scheme: "Digest")
                parameters.append("realm", quoted: realm)
                parameters.append("nonce", quoted: nonce)
                parameters.append("algorithm", token: digest.rawValue)
                parameters.append("qop", quoted: QualityOfProtection.auth.rawValue)
                if isStale { parameters.append("stale", token: "true") }
                challenges.append(WWWAuthenticate(parameters: parameters))
            }
        }
        return challenges
    }

    /// Whether the response shows the password. The URI in the credentials is hashed as it is written there: proxies
    /// rewrite the Request-URI (RFC 3261 §22.4), and the nonce count lets no credentials be used for a second request.
    private func isRight(_ claim: Claim, method: SIPMessages.Method) -> Bool {
        let known = userHashes[User(name: claim.username, realm: claim.realm, digest: claim.digest)]
        guard let secondHash = claim.digest.requestHash(method: method, uri: claim.uri),
            let expected = claim.digest.response(
                firstHash: known ?? decoy, nonce: claim.nonce,
                protection: (claim.nonceCountText, claim.cnonce, QualityOfProtection.auth.rawValue),
                secondHash: secondHash)
        else { return false }
        return MessageDigest.isSame(expected, claim.response) && known != nil
    }
}

/// Credentials that are complete and in terms that we offered; others are as good as none.
private struct Claim {
    var username: String
    var realm: String
    var nonce: String
    var uri: String
    var response: String
    var cnonce: String
    var nonceCount: UInt32
    var nonceCountText: String
    var digest: MessageDigest

    init?(_ field: Authorization) {
        let parameters = field.parameters
        guard field.isDigest, !parameters.hasRepetition, let algorithm = DigestAlgorithm(field.algorithm),
            !algorithm.isSession,
            parameters["qop"]?.equalsIgnoringCase(QualityOfProtection.auth.rawValue) ?? false,
            let username = field.username, let realm = field.realm, let nonce = field.nonce, let uri = field.uri,
            let response = field.response, let cnonce = field.cnonce, !cnonce.isEmpty, let count = field.nonceCount,
            let countText = parameters["nc"], countText.utf8.count == 8
        else { return nil }
        self.username = username
        self.realm = realm
        self.nonce = nonce
        self.uri = uri
        self.response = response.asciiLowercased
        self.cnonce = cnonce
        nonceCount = count
        nonceCountText = countText
        digest = algorithm.digest
    }
}
