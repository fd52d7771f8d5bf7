import SIPMessages

/// What an INVITE says of who calls and of the way that the call took, for whoever is rung. Nothing in it is proven but
/// what a registrar vouches for.
package struct CallerInformation: Equatable, Sendable {
    /// Who it is by the word of our registrar (RFC 3325 §9.1); nil where another element says so, or where the caller
    /// wants it kept (RFC 3323 §4.2).
    package var assertedIdentity: NameAddress?
    /// Whether the caller does not want to be named.
    package var isAnonymous = false
    /// Who sent the call on to us, the last one first (RFC 5806).
    package var diversions: [Diversion] = []
    /// For whom the call was before, the first one first (RFC 7044).
    package var history: [HistoryInfo] = []
    package var answerWish: AnswerWish?

    /// Whether the caller wants to be put through without a person.
    package var wantsAnswer: Bool { answerWish?.isAutomatic ?? false }

    package init() {}

    /// - Parameter isVouchedFor: whether the INVITE came over the flow of an account's registrar or proxy.
    init(of request: borrowing Request, isVouchedFor: Bool) {
        let headers = request.headers
        let privacy = try? headers.first(Privacy.self)
        let hidesIdentity = privacy.map { $0.contains("id") || $0.contains("user") || $0.contains("header") } ?? false
        isAnonymous = hidesIdentity || request.from.isAnonymous
        let asserted = isVouchedFor && !hidesIdentity ? (try? headers.all(PAssertedIdentity.self)) ?? [] : []
        assertedIdentity = (asserted.first { $0.uri.sipURI != nil } ?? asserted.first)?.address
        diversions = (try? headers.all(Diversion.self)) ?? []
        history = (try? headers.all(HistoryInfo.self)) ?? []
        answerWish = AnswerWish(in: headers)
    }
}

/// How a caller wants to be answered (RFC 5373; Alert-Info and Call-Info of PBXs).
package struct AnswerWish: Hashable, Sendable {
    /// At once, or by a person alone.
    package var isAutomatic: Bool
    /// Whether the caller claims a right to it (Priv-Answer-Mode).
    package var isPrivileged = false
    /// Whether it would rather be refused than answered in another way.
    package var isRequired = false

    /// Of two wishes the privileged one counts.
    init?(in headers: Headers) {
        if let wish = (try? headers.first(PrivAnswerMode.self))?.wish(isPrivileged: true)
            ?? (try? headers.first(AnswerMode.self))?.wish(isPrivileged: false)
        {
            self = wish
        } else if ((try? headers.all(AlertInfo.self)) ?? []).contains(where: \.asksForAnswer)
            || ((try? headers.all(CallInfo.self)) ?? []).contains(where: \.asksForAnswer)
        {
            isAutomatic = true
        } else {
            return nil
        }
    }

    fileprivate init(isAutomatic: Bool, isPrivileged: Bool, isRequired: Bool) {
        self.isAutomatic = isAutomatic
        self.isPrivileged = isPrivileged
        self.isRequired = isRequired
    }
}

extension AnswerModeField {
    fileprivate func wish(isPrivileged: Bool) -> AnswerWish? {
        guard isAutomatic || isManual else { return nil }
        return AnswerWish(isAutomatic: isAutomatic, isPrivileged: isPrivileged, isRequired: isRequired)
    }
}

extension Account.AnswerWishPolicy {
    /// Whether a wish to be put through at once is met.
    func meets(_ wish: AnswerWish?, mayAnswerAutomatically: Bool) -> Bool {
        self != .ignored && wish?.isAutomatic == true && mayAnswerAutomatically
    }

    /// Whether it is met whatever else goes on.
    func isPrivileged(_ wish: AnswerWish?, of trust: CallerTrust) -> Bool {
        self == .privileged && wish?.isPrivileged == true && wish?.isAutomatic == true && trust == .authenticated
    }
}

extension NameAddress {
    /// `<sip:anonymous@anonymous.invalid>` (RFC 3323 §4.1.1.3).
    static let anonymous = NameAddress(
        displayName: "Anonymous", uri: .sip(SIPURI(user: "anonymous", host: .name("anonymous.invalid"))))

    /// Without what names a person (RFC 3323 §4.1.1.3); the host is needed.
    var anonymised: NameAddress {
        guard case .sip(var uri) = uri else { return self }
        uri.user = "anonymous"
        return NameAddress(uri: .sip(uri), parameters: parameters)
    }

    fileprivate var isAnonymous: Bool {
        uri.sipURI?.host == .name("anonymous.invalid") && uri.sipURI?.user?.equalsIgnoringCase("anonymous") == true
    }
}

extension Request {
    /// Keeps to ourselves who we are (RFC 3323 §4.1). A proxy that knows us may still be told, so that it can vouch for
    /// us where that is due (RFC 3325 §6); a peer that is reached without one is told nothing.
    mutating func anonymise(behind proxy: URI?) {
        let tag = from.tag
        if proxy != nil {
            headers.set(PPreferredIdentity(NameAddress(displayName: from.displayName, uri: from.uri)))
        }
        from = .anonymous
        from.tag = tag
        var wishes = ((try? headers.first(Privacy.self))?.values ?? []).filter { !$0.equalsIgnoringCase("none") }
        if !wishes.contains(where: { $0.equalsIgnoringCase("id") }) { wishes.append("id") }
        headers.set(Privacy(wishes))
    }
}
