import EngineKit
import SDP
import SIPMessages

extension Capabilities {
    /// What this user agent can do where nothing is switched off.
    package static let ours = Capabilities(
        methods: [
            .invite, .ack, .cancel, .bye, .options, .prack, .update, .info, .message, .refer, .notify, .subscribe,
        ],
        optionTags: [.reliable, .sessionTimer, "replaces", "join", "norefersub", .targetDialog, "answermode"],
        bodies: [
            MethodBodies(.message, [.plainText, .anyText, .composing]),
            MethodBodies(.notify, [.any]),
            MethodBodies(.subscribe, [.any]),
            MethodBodies(.info, [SignalledDigit.relay, SignalledDigit.bare]),
        ])
}

extension Request {
    /// Adds what an INVITE tells the callee (§13.2.1), and UPDATE and what starts another usage of its dialog.
    mutating func setCapabilities(_ capabilities: Capabilities, contact: NameAddress) {
        headers.set(Contact.address(contact))
        headers.set(.allow, from: capabilities.fields)
        if method == .invite || method == .update { headers.setInfoPackages() }
    }

    /// Names our extensions, unless the user named others (§20.37, RFC 3262 §4).
    mutating func setSupported(_ capabilities: Capabilities) {
        if !headers.contains(.supported) { headers.set(.supported, from: capabilities.fields) }
    }

    /// Whether the sender says that it understands an extension, or even insists on it.
    func supports(_ optionTag: String) -> Bool {
        let supported = (try? headers.first(Supported.self))?.contains(optionTag) ?? false
        return supported || requires(optionTag)
    }

    func requires(_ optionTag: String) -> Bool {
        (try? headers.first(Require.self))?.contains(optionTag) ?? false
    }

    mutating func setDescription(_ description: SessionDescription) {
        headers.set(ContentType.sdp)
        body = description.bytes()
    }

    /// Copies Authorization and Proxy-Authorization.
    mutating func copyCredentials(from other: Request) {
        for field in (try? other.headers.all(Authorization.self)) ?? [] { headers.append(field) }
        for field in (try? other.headers.all(ProxyAuthorization.self)) ?? [] { headers.append(field) }
    }

    /// The answer to an offer that can't be met, with a Warning that says why (§20.43, §21.4.26).
    func refusal(of error: NegotiationError, at address: IPAddress) -> Response {
        var response = response(StatusCode(error.owedStatus) ?? 488)
        let host = Host.address(address)
        try? response.headers.append(.warning, "\(error.warningCode) \(host) \"\(error.warningText)\"")
        return response
    }

    /// The session description in the body; nil where there is none, or none that can be read.
    var sessionDescription: SessionDescription? { headers.description(in: body) }

    /// What the body claims to be a session description, or to hold as one.
    var claimedDescription: [UInt8]? { headers.sessionDescription(among: body) }

    /// Whether there is a body that claims to be a session description.
    var claimsDescription: Bool { claimedDescription != nil }
}

extension Response {
    /// Adds what a response tells that makes or refreshes a dialog (§12.1.1, §13.3.1.4).
    mutating func setCapabilities(_ capabilities: Capabilities, contact: NameAddress) {
        headers.set(Contact.address(contact))
        headers.set(.allow, from: capabilities.fields)
        if status.isSuccess, cSeq.method == .invite || cSeq.method == .update { headers.setInfoPackages() }
        if status.isSuccess { headers.set(.supported, from: capabilities.fields) }
    }

    mutating func setDescription(_ description: SessionDescription) {
        headers.set(ContentType.sdp)
        body = description.bytes()
    }

    /// The session description in the body; nil where there is none, or none that can be read.
    var sessionDescription: SessionDescription? { headers.description(in: body) }

    /// The value of Retry-After in seconds.
    var retryAfter: UInt32? { (try? headers.first(RetryAfter.self))?.seconds }

    /// The SIP targets of a 3xx, best `q` first, otherwise in their order (§8.1.3.4).
    var redirectionTargets: [URI] {
        let contacts = ((try? headers.all(Contact.self)) ?? []).filter { $0.uri?.sipURI != nil }
        let ranked = contacts.enumerated().sorted { left, right in
            let (first, second) = (left.element.preference ?? 1000, right.element.preference ?? 1000)
            return (-first, left.offset) < (-second, right.offset)
        }
        return ranked.compactMap(\.element.uri)
    }

    /// Adds the header fields that the user gave for this response.
    mutating func append(_ others: Headers) {
        for (name, value) in others.list { try? headers.append(name, value) }
    }
}

extension Headers {
    /// Says that we take no Info Package: who knows of packages says which it takes, even if none (RFC 6086 §4.2.1).
    mutating func setInfoPackages() {
        set(.recvInfo, from: .noInfoPackages)
    }

    /// Written once, as most messages of a call bear it.
    private static let noInfoPackages: Headers = {
        var fields = Headers()
        try? fields.set(.recvInfo, "")
        return fields
    }()

    /// Takes over Record-Route, as the response to a request does that makes a dialog (§12.1.1).
    mutating func copyRecordedRoute(of request: Request) {
        for entry in (try? request.headers.all(RecordRoute.self)) ?? [] { append(entry) }
    }

    func description(in body: [UInt8]) -> SessionDescription? {
        sessionDescription(among: body).flatMap { try? SessionDescription(parsing: $0) }
    }
}

extension URI {
    /// The address as it stands in To: without the parameters that only guide a request (§19.1.1, table 1).
    var asParty: URI {
        guard case .sip(var uri) = self else { return self }
        uri.headers = []
        uri.port = nil
        for name in ["transport", "maddr", "ttl", "method", "lr"] { uri.parameters.remove(name) }
        return .sip(uri)
    }

    /// A telephone number becomes an address in the domain of the account that dials it, whose servers know the way
    /// (RFC 3261 §19.1.6). An account that belongs to no domain leaves it as it is.
    func dialled(by account: Account) -> URI {
        guard account.registrar != nil, let domain = account.address.uri.sipURI, let number = TelephoneURI(self) else {
            return self
        }
        return .sip(number.sipURI(in: domain))
    }

    /// Whether every hop to this address is to be secure (§26.2.2).
    var isSecure: Bool { sipURI?.isSecure ?? false }
}

extension NegotiationError {
    /// The warn-code of RFC 3261 §20.43.
    fileprivate var warningCode: Int {
        switch self {
        case .nothingInCommon, .streamRefused: 305
        case .unusableAddress, .forbiddenTarget: 301
        case .fewerStreams, .mismatchedStreams, .offerOutstanding, .noOffer: 399
        }
    }

    /// The warn-text, which repeats nothing that the peer wrote.
    fileprivate var warningText: String {
        switch self {
        case .nothingInCommon, .streamRefused: "Incompatible media format"
        case .unusableAddress, .forbiddenTarget: "Incompatible network address formats"
        case .fewerStreams, .mismatchedStreams: "Media lines do not match the former description"
        case .offerOutstanding, .noOffer: "Another offer is outstanding"
        }
    }
}
