import EngineKit
import SIPMessages

/// A peer-to-peer relation between two user agents (RFC 3261 §12): what every further request between them is made of.
struct Dialog: Equatable, Sendable {
    let callID: String
    /// From or To of our requests, with our tag.
    let localParty: NameAddress
    let remoteParty: NameAddress
    /// The tags of these, empty where a party of RFC 2543 has none.
    let localTag: String
    let remoteTag: String
    /// Whether we sent the INVITE, and so own the Call-ID (§14.1).
    let isCaller: Bool
    private(set) var routeSet: [NameAddress]
    private(set) var remoteTarget: URI
    private(set) var localSequence: UInt32
    private(set) var remoteSequence: UInt32?
    /// The methods that the peer last said it takes; nil before it says any.
    private var remoteMethods: [Method]?
    /// Those that were refused although the peer says that it takes them.
    private var refusedMethods: [Method] = []
    /// The extensions that the peer last said it understands.
    private var remoteExtensions: [String] = []

    /// What keeps a message from making a dialog (§12.1).
    enum Fault: Error, Equatable {
        case tagMissing
        /// No Contact, several, `*`, or one that is no SIP address.
        case contactUnusable
    }

    /// The dialog that a response with a To tag makes at the caller (§12.1.2).
    ///
    /// - Parameter fallbackTarget: the remote target where the response names none that can be used; without it that is
    ///   a fault.
    init(
        of request: borrowing Request, answeredBy response: borrowing Response, fallbackTarget: URI? = nil
    ) throws(Fault) {
        guard let remoteTag = response.to.tag else { throw .tagMissing }
        guard let target = Self.target(in: response.headers) ?? fallbackTarget else { throw .contactUnusable }
        callID = request.callID
        localParty = request.from
        remoteParty = response.to
        localTag = request.from.tag ?? ""
        self.remoteTag = remoteTag
        isCaller = true
        routeSet = Self.recordedRoute(in: response.headers).reversed()
        remoteTarget = target
        localSequence = request.cSeq.number
        remoteSequence = nil
        noteCapabilities(in: response.headers)
    }

    /// The dialog that an INVITE makes at the callee (§12.1.1), or a NOTIFY at the subscriber (RFC 6665 §4.4.1).
    ///
    /// - Parameter fallbackTarget: the remote target where the request names none that can be used; without it that is
    ///   a fault.
    init(
        of request: borrowing Request, localTag: String, localSequence: UInt32, fallbackTarget: URI? = nil
    ) throws(Fault) {
        let named = Self.target(in: request.headers) ?? Self.target(ofOldCaller: request)
        guard let target = named ?? fallbackTarget else { throw .contactUnusable }
        callID = request.callID
        var local = request.to
        local.tag = localTag
        localParty = local
        remoteParty = request.from
        self.localTag = localTag
        remoteTag = request.from.tag ?? ""
        isCaller = false
        routeSet = Self.recordedRoute(in: request.headers)
        remoteTarget = target
        self.localSequence = localSequence
        remoteSequence = request.cSeq.number
        noteCapabilities(in: request.headers)
    }

    // MARK: - Requests

    /// A request within the dialog (§12.2.1.1), still without Via and Contact.
    mutating func request(_ method: Method) -> Request {
        localSequence = localSequence < Int32.max ? localSequence + 1 : 1
        return addressed(method, sequence: localSequence)
    }

    /// The ACK of a 2xx to the INVITE with the CSeq number `sequence` (§13.2.2.4).
    func acknowledgement(of sequence: UInt32) -> Request {
        addressed(.ack, sequence: sequence)
    }

    /// The PRACK of a reliable provisional response within the dialog (RFC 3262 §4).
    mutating func acknowledgement(of number: UInt32, in response: Response) -> Request {
        var request = request(.prack)
        request.headers.set(RAck(responseNumber: number, cSeq: response.cSeq))
        return request
    }

    /// Takes the next CSeq number for a request that is sent again with credentials (§22.2).
    mutating func nextSequence() -> UInt32 {
        localSequence = localSequence < Int32.max ? localSequence + 1 : 1
        return localSequence
    }

    /// Takes no number that went out before in the same dialog.
    mutating func countOn(from sequence: UInt32) { localSequence = max(localSequence, sequence) }

    /// The address that requests are sent to: the first route, or the target (§12.2.1.1). For a strict router that is
    /// the Request-URI, whatever route is left.
    var nextHop: URI { routeSet.first?.uri ?? remoteTarget }

    /// Whether servers stand between us and the peer.
    var hasRoute: Bool { !routeSet.isEmpty }

    private func addressed(_ method: Method, sequence: UInt32) -> Request {
        var route = routeSet
        var uri = remoteTarget
        if let first = route.first, !first.isLooseRoute {
            // A strict router takes its own address for the Request-URI; the target travels at the end (§12.2.1.1).
            uri = first.uri.asRequestURI
            route.removeFirst()
            route.append(NameAddress(uri: remoteTarget))
        }
        var request = Request(
            method: method, uri: uri, from: localParty, to: remoteParty, callID: callID,
            cSeq: CSeq(number: sequence, method: method))
        for entry in route { request.headers.append(Route(entry)) }
        return request
    }

    // MARK: - What arrives

    enum Order: Equatable {
        case inOrder
        /// Owed a 500 (§12.2.2).
        case outOfOrder
    }

    /// Notes the CSeq of a request from the peer. Gaps are allowed.
    mutating func accept(_ sequence: UInt32) -> Order {
        if let seen = remoteSequence, sequence <= seen { return .outOfOrder }
        remoteSequence = sequence
        return .inOrder
    }

    /// Takes the Contact of a target refresh request or of its 2xx for the new remote target (§12.2.1.2, §12.2.2).
    mutating func refreshTarget(from headers: Headers) {
        if let target = Self.target(in: headers) { remoteTarget = target }
        noteCapabilities(in: headers)
    }

    /// Takes the route set and target of the 2xx for those of the early dialog (§13.2.2.4). The numbers of the requests
    /// that went within the early dialog count on.
    mutating func confirm(by response: Response) {
        routeSet = Self.recordedRoute(in: response.headers).reversed()
        refreshTarget(from: response.headers)
    }

    // MARK: - What the peer can do

    private mutating func noteCapabilities(in headers: Headers) {
        if let allow = try? headers.first(Allow.self) { remoteMethods = allow.methods }
        if let supported = try? headers.first(Supported.self) { remoteExtensions = supported.tags }
    }

    /// Whether the peer said that it takes requests of that method (§20.5).
    func peerAllows(_ method: Method) -> Bool {
        (remoteMethods?.contains(method) ?? false) && !refusedMethods.contains(method)
    }

    /// The peer refused what it said it takes.
    mutating func forbid(_ method: Method) { refusedMethods.append(method) }

    /// Whether the peer said that it understands that extension (§20.37).
    func peerSupports(_ optionTag: String) -> Bool { Supported(remoteExtensions).contains(optionTag) }

    /// The one Contact without what a Request-URI must not carry; nil where there is none that a request can go to.
    static func target(in headers: Headers) -> URI? {
        guard let contacts = try? headers.all(Contact.self), contacts.count == 1, let uri = contacts.first?.uri,
            uri.sipURI != nil
        else { return nil }
        return uri.asRequestURI
    }

    /// RFC 2543 had no need of a Contact: without one, requests go to From (§6.8 there).
    private static func target(ofOldCaller request: borrowing Request) -> URI? {
        guard !request.headers.contains(.contact), request.vias.first?.isBranchUnique != true,
            request.from.uri.sipURI != nil
        else { return nil }
        return request.from.uri.asRequestURI
    }

    private static func recordedRoute(in headers: Headers) -> [NameAddress] {
        ((try? headers.all(RecordRoute.self)) ?? []).map(\.address)
    }
}

extension NameAddress {
    /// Whether the element of this Route entry follows §16.12 of RFC 3261 rather than RFC 2543.
    var isLooseRoute: Bool {
        uri.sipURI?.isLooseRouter ?? false
    }
}

extension URI {
    /// The address without what a Request-URI must not carry: the `method` parameter and headers (§19.1.1, table 1).
    var asRequestURI: URI {
        guard case .sip(var uri) = self else { return self }
        if uri.escapedHeaders != nil { uri.headers = [] }
        if uri.parameters.contains("method") { uri.parameters.remove("method") }
        return .sip(uri)
    }
}
