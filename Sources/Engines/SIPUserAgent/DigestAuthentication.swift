import EngineKit
import SIPMessages

/// How often one request was sent again because it was challenged; starts anew with each request of the user agent.
package struct AuthenticationAttempts: Hashable, Sendable {
    /// The realms that were answered, one answer each.
    var answered: [DigestAuthentication.Protected] = []
    /// Answers to a challenge that called only the nonce stale.
    var stale = 0

    package init() {}

    static let answersPerRequest = 2
    static let staleAnswersPerRequest = 3
}

/// Where the challenged request went. Only what the account itself trusts may learn a digest of its password.
package enum ChallengeSource: Hashable, Sendable {
    /// The account's registrar, asked with REGISTER.
    case registrar
    /// The account's registrar, asked with another request: it serves the domain.
    case domain
    /// The account's outbound proxy.
    case outboundProxy
    /// Another element of the account's proxy set, over its flow.
    case proxySet
    /// Anybody else: a peer that was called directly, or called us.
    case stranger
}

package enum AuthenticationVerdict: Hashable, Sendable {
    /// The request now carries credentials: send it again, with a new branch and a higher CSeq.
    case authorized
    /// The account has no credentials.
    case noCredentials
    /// No realm among the challenges is the account's; the first one is named.
    case foreignRealm(String)
    /// The realm is that of a proxy, and no outbound proxy is configured whose realm it could be.
    case proxyNotConfigured(String)
    /// The challenge does not come from the account's registrar or proxies.
    case untrusted
    /// The credentials were tried and are wrong.
    case refused
    /// Challenged more often than a request may be.
    case exhausted
    /// Nothing among the challenges that we can answer: no Digest, an unknown algorithm, parameters missing.
    case unsupported
    /// The realm asked for more before: a weaker hash, or no qop, is not answered.
    case downgraded
}

/// The realms that were first seen where an account trusts; they hold where it has no realm configured.
package struct PinnedRealms: Hashable, Sendable {
    /// The first one of a 401 to REGISTER.
    package var registrar: String?
    /// The first one of a 407 from the configured outbound proxy.
    package var outboundProxy: String?
    /// The first one of a challenge by the registrar's server to another request. It holds until that server names one to
    /// REGISTER: whoever is called there may have answered in its place.
    package var domain: String?

    package init(registrar: String? = nil, outboundProxy: String? = nil, domain: String? = nil) {
        self.registrar = registrar
        self.outboundProxy = outboundProxy
        self.domain = domain
    }

    func contains(_ realm: String) -> Bool {
        [registrar, outboundProxy, domain].contains(realm)
    }
}

/// Digest authentication of one account (RFC 2617, RFC 3261 §22), with what servers told it: nonces and their counts.
///
/// It answers only challenges of the account's own servers and realms, a bounded number of times.
package struct DigestAuthentication: Sendable {
    /// A protection space: the realm, for a server or for a proxy (RFC 3261 §22.1).
    struct Protected: Hashable, Sendable {
        var realm: String
        var isProxy: Bool
    }

    /// A nonce, and how often it was used.
    private struct NonceUse: Sendable {
        let nonce: String
        /// Requests that used it.
        var count: UInt32 = 0
        /// One for the whole life of the nonce: a `-sess` key is made of it.
        let cnonce: String
    }

    /// What is remembered of a protection space.
    private struct Space: Sendable {
        private(set) var challenge: DigestChallenge
        var use: NonceUse
        /// The last nonces before this one, oldest first: challenges that overtake one another bring them back, and no
        /// count of a nonce may be used twice (RFC 7616 §3.4).
        private var earlier: [NonceUse] = []
        /// Only REGISTER of those who asked a registrar is authorized before it is challenged.
        var isRegistrar: Bool

        static let rememberedNonces = 8

        var key: Protected { Protected(realm: challenge.realm, isProxy: challenge.isProxy) }

        init(challenge: DigestChallenge, cnonce: String, isRegistrar: Bool) {
            self.challenge = challenge
            self.isRegistrar = isRegistrar
            use = NonceUse(nonce: challenge.nonce, cnonce: cnonce)
        }

        mutating func turn(to challenge: DigestChallenge, cnonce: String) {
            self.challenge = challenge
            guard use.nonce != challenge.nonce else { return }
            if earlier.count == Self.rememberedNonces { earlier.removeFirst() }
            earlier.append(use)
            let known = earlier.firstIndex { $0.nonce == challenge.nonce }
            use = known.map { earlier.remove(at: $0) } ?? NonceUse(nonce: challenge.nonce, cnonce: cnonce)
        }

        /// How often a nonce was used here.
        func uses(of nonce: String) -> UInt32 {
            use.nonce == nonce ? use.count : earlier.first { $0.nonce == nonce }?.count ?? 0
        }

        /// The server named the next nonce, for what it challenged before.
        mutating func turn(toNonce nonce: String) {
            var challenge = challenge
            challenge.nonce = nonce
            turn(to: challenge, cnonce: use.cnonce)
        }
    }

    private let credentials: AccountCredentials?
    package private(set) var pinnedRealms: PinnedRealms
    private var spaces: [Space] = []

    static let rememberedSpaces = 8

    package init(credentials: AccountCredentials?, pinnedRealms: PinnedRealms = PinnedRealms()) {
        self.credentials = credentials
        self.pinnedRealms = pinnedRealms
    }

    /// Answers the challenges of a 401 or 407 to `request`, by rewriting the credentials in it.
    package mutating func answer(
        _ response: Response, to request: inout Request, sentTo source: ChallengeSource,
        attempts: inout AuthenticationAttempts, random: inout RandomSource
    ) -> AuthenticationVerdict {
        guard let credentials else { return .noCredentials }
        guard source != .stranger else { return .untrusted }
        let challenges = DigestChallenge.strongest(of: response)
        guard let first = challenges.first else { return .unsupported }
        let ours = challenges.filter { isOurs($0, credentials: credentials, source: source) }
        guard !ours.isEmpty else {
            let isUnasked = credentials.realm == nil && first.isProxy && source != .outboundProxy
            return isUnasked ? .proxyNotConfigured(first.realm) : .foreignRealm(first.realm)
        }
        for challenge in ours {
            if let refusal = accept(challenge, source: source, attempts: &attempts, random: &random) { return refusal }
        }
        return write(to: &request, also: attempts.answered, random: &random) ? .authorized : .unsupported
    }

    /// Adds credentials before a challenge, for realms whose nonce is known; for requests to the account's own servers.
    /// What credentials there are is replaced, as each count of a nonce goes out once (RFC 7616 §3.4).
    ///
    /// - Parameter attempts: the challenges that the request has met.
    package mutating func authorize(
        _ request: inout Request, after attempts: AuthenticationAttempts = AuthenticationAttempts(),
        random: inout RandomSource
    ) {
        _ = write(to: &request, also: attempts.answered, random: &random)
    }

    /// Takes the next nonce out of the response to an accepted request (RFC 7616 §3.5).
    package mutating func receiveSuccess(_ response: Response, to request: Request) {
        guard let info = try? response.headers.first(AuthenticationInfo.self), let nonce = info.nextNonce,
            let realm = (try? request.headers.first(Authorization.self))?.realm,
            let index = spaces.firstIndex(where: { $0.key == Protected(realm: realm, isProxy: false) })
        else { return }
        spaces[index].turn(toNonce: nonce)
    }
}

extension DigestAuthentication {
    /// Whether the realm may be answered; pins it where it is the first one that a trusted server names.
    private mutating func isOurs(
        _ challenge: DigestChallenge, credentials: AccountCredentials, source: ChallengeSource
    ) -> Bool {
        if let realm = credentials.realm { return challenge.realm == realm }
        if source == .registrar, !challenge.isProxy, pinnedRealms.registrar == nil {
            pinnedRealms.registrar = challenge.realm
            pinnedRealms.domain = nil
        } else if source == .domain, pinnedRealms.registrar == nil, pinnedRealms.domain == nil {
            pinnedRealms.domain = challenge.realm
        } else if source == .outboundProxy, challenge.isProxy, pinnedRealms.outboundProxy == nil {
            pinnedRealms.outboundProxy = challenge.realm
        }
        return pinnedRealms.contains(challenge.realm)
    }

    /// Remembers a challenge and counts its answer; gives the reason where it must not be answered.
    private mutating func accept(
        _ challenge: DigestChallenge, source: ChallengeSource, attempts: inout AuthenticationAttempts,
        random: inout RandomSource
    ) -> AuthenticationVerdict? {
        let key = Protected(realm: challenge.realm, isProxy: challenge.isProxy)
        let known = spaces.firstIndex { $0.key == key }
        if let known {
            let before = spaces[known].challenge
            let isWeaker = challenge.algorithm.digest.isObsolete && !before.algorithm.digest.isObsolete
            if isWeaker, credentials?.allowsObsoleteDigest != true { return .downgraded }
            if challenge.qop == nil, before.qop != nil { return .downgraded }
        }
        if attempts.answered.contains(key) {
            // Only a new nonce makes a second answer differ from the first.
            guard challenge.isStale, let known, spaces[known].challenge.nonce != challenge.nonce else {
                return .refused
            }
            attempts.stale += 1
            if attempts.stale > AuthenticationAttempts.staleAnswersPerRequest { return .exhausted }
        } else {
            if attempts.answered.count == AuthenticationAttempts.answersPerRequest { return .exhausted }
            attempts.answered.append(key)
        }
        let isRegistrar = source == .registrar && !key.isProxy
        if let known {
            // What was heard of last is forgotten last.
            var space = spaces.remove(at: known)
            space.turn(to: challenge, cnonce: random.hexadecimal(32))
            space.isRegistrar = isRegistrar
            spaces.append(space)
            return nil
        }
        if spaces.count == Self.rememberedSpaces { spaces.removeFirst() }
        spaces.append(Space(challenge: challenge, cnonce: random.hexadecimal(32), isRegistrar: isRegistrar))
        return nil
    }

    /// Replaces the credentials in `request` by fresh ones: of the spaces that it is known to need, and of `others`.
    private mutating func write(
        to request: inout Request, also others: [Protected], random: inout RandomSource
    ) -> Bool {
        guard let credentials else { return false }
        request.headers.removeAll(.authorization)
        request.headers.removeAll(.proxyAuthorization)
        var isComplete = true
        for index in spaces.indices {
            let space = spaces[index]
            let isNeeded = space.key.isProxy || (space.isRegistrar && request.method == .register)
            guard isNeeded || others.contains(space.key) else { continue }
            // A server that is proxy and registrar may ask as both under one nonce, which is counted once.
            let uses = spaces.map { $0.uses(of: space.use.nonce) }.max() ?? 0
            guard uses < .max else {
                isComplete = false
                continue
            }
            spaces[index].use.count = uses + 1
            let response = DigestResponse(
                challenge: space.challenge, username: credentials.username, password: credentials.password,
                method: request.method, uri: request.uri.description, body: request.body,
                cnonce: space.challenge.algorithm.isSession ? space.use.cnonce : random.hexadecimal(32),
                nonceCount: spaces[index].use.count)
            guard let parameters = response.credentials else {
                isComplete = false
                continue
            }
            if space.key.isProxy {
                request.headers.append(ProxyAuthorization(parameters: parameters))
            } else {
                request.headers.append(Authorization(parameters: parameters))
            }
        }
        return isComplete
    }
}
