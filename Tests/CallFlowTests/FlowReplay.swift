import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent

/// A flow of RFC 3665 with our user agent in the place of one party and what everybody else says as it is printed.
///
/// What only one run can know is put in place of what is printed: the Call-IDs, tags, branches and numbers that ours
/// made, and its address. Of each message of ours is held against the printed one what the RFC fixes: method or
/// status, address, route, dialog, the step of CSeq, whether a description and whether credentials are in it.
struct FlowReplay {
    /// What a message of ours may differ in, for a reason that whoever replays the flow gives.
    enum Aspect { case route }

    private struct Step {
        /// The flow and its message, as `3-1 F4`.
        let name: String
        let number: Int
        let from: String
        let to: String
        let text: String
        let message: Message
    }

    private let party: String
    private let steps: [Step]
    private let exceptions: [String: Set<Aspect>]
    private(set) var core: UserAgentCore
    private var now = Instant.zero
    private var sent: [(message: Message, flow: Flow)] = []
    /// Everything of ours that went out, so that what is only sent again is not taken for more.
    private var seen: Set<[UInt8]> = []
    private(set) var differences: [String] = []
    /// How many messages of ours were held against printed ones.
    private(set) var compared = 0

    private var call: CallHandle?
    private var isEstablished = false
    /// Printed Call-IDs and tags of ours, and what they are here.
    private var callIDs: [String: String] = [:]
    private var tags: [String: String] = [:]
    /// Our requests by the branch that is printed.
    private var requests: [String: (request: Request, flow: Flow)] = [:]
    /// The routes of our INVITEs by the branch, both as printed.
    private var printedRoutes: [String: [String]] = [:]
    /// By printed Call-ID: the first number of ours as printed, and as it is.
    private var firstNumbers: [String: (printed: UInt32, ours: UInt32)] = [:]
    /// The address that is printed for us.
    private let printedContact: String
    private var contact: String?
    private var hosts: [String: SocketAddress] = [:]
    /// Hosts that are asked where the first one of a name does not answer.
    private let standIns: [String: String]

    private static let local = SocketAddress(.v4(0xc000_0201), port: 5060)
    private static let media = LocalMedia(rtpPort: 16384)
    private static let movedMedia = LocalMedia(rtpPort: 16386)

    /// - Parameters:
    ///   - flows: their numbers, as `3-1`: one, or several that one user agent plays one after another.
    ///   - contact: the address that is printed for the party.
    ///   - standIns: which host is asked where another one does not answer.
    ///   - exceptions: by flow and message, as `3-1 F4`.
    init(
        _ flows: [String], as party: String, account: Account, contact: String,
        standIns: [String: String] = [:], exceptions: [String: Set<Aspect>] = [:]
    ) {
        self.party = party
        self.standIns = standIns
        self.exceptions = exceptions
        printedContact = contact
        steps = flows.flatMap(Self.steps)
        core = UserAgentCore(
            configuration: UserAgentConfiguration(
                accounts: [account], capabilities: Self.media, reliableProvisionals: .off,
                sessionTimers: SessionTimerPolicy(use: .off)),
            random: RandomSource(seed: 3665))
        core.receive(
            .listening([.udp, .tcp].map { Listener(transport: $0, address: Self.local) }), at: now)
        drain()
    }

    /// The messages of a flow in their order. TLS, which is not ours yet, is TCP here.
    private static func steps(of flow: String) -> [Step] {
        let rows = Corpora.index("rfc3665").filter { $0["flow"]?.hasPrefix("\(flow)-") == true }
        var steps: [Step] = rows.compactMap { row in
            guard let label = row["label"], let file = row["file"], let bytes = Corpora.bytes(file) else { return nil }
            let text = String(decoding: bytes, as: UTF8.self)
                .replacing("sips:", with: "sip:").replacing("SIP/2.0/TLS", with: "SIP/2.0/TCP")
            return step(flow, label, text)
        }
        for (number, label, answered, status) in missing where flow == number {
            guard case .request(let request)? = steps.first(where: { $0.number == answered })?.message else { continue }
            let tag = request.to.tag == nil ? "314159" : nil
            let response = request.response(status, toTag: tag)
            if let step = step(flow, label, String(decoding: response.bytes(), as: UTF8.self)) { steps.append(step) }
        }
        return steps.sorted { $0.number < $1.number }
    }

    /// Responses that the RFC prints and the collection lacks, by flow: what they are called, which message they
    /// answer, and how.
    private static let missing: [(flow: String, label: String, answered: Int, status: StatusCode)] = [
        ("3-6", "F15 200 OK Alice -> Proxy 3", 14, 200),
        ("3-9", "F6 486 Busy Here Bob -> Proxy 2", 4, 486),
        ("3-9", "F8 486 Busy Here Proxy 2 -> Proxy 1", 2, 486),
        ("3-9", "F10 486 Busy Here Proxy 1 -> Alice", 1, 486),
    ]

    /// - Parameter label: number, what it is, and who sends it to whom: `F4 ACK Alice -> Bob`.
    private static func step(_ flow: String, _ label: String, _ text: String) -> Step? {
        let sides = label.split(separator: " -> ")
        guard sides.count == 2, let name = label.split(separator: " ").first, let number = Int(name.dropFirst()),
            let message = try? MessageParser.parse(Array(text.utf8))
        else { return nil }
        return Step(
            name: "\(flow) \(name)", number: number, from: String(sides[0]), to: String(sides[1]), text: text,
            message: message)
    }

    // MARK: - Playing

    /// Plays the flow, or its part up to a message.
    mutating func run(upTo last: String? = nil) {
        for step in steps {
            // Numbers count anew in each flow, and tags too, also where the RFC prints the same ones again.
            if step.number == 1 { (firstNumbers, tags) = ([:], [:]) }
            // The side that sends stands behind the name of the message.
            if step.from.hasSuffix(" \(party)") {
                expect(step)
            } else if step.to == party {
                receive(step)
            }
            if step.name == last { break }
        }
        while let extra = nextSent() { differ("behind the last message", Self.summary(extra.message)) }
    }

    /// Ends what there is; whatever is left then should not be.
    mutating func finish() {
        core.perform(.shutDown, at: now)
        drain()
        let end = now + .seconds(200)
        while let deadline = core.deadline, deadline <= end {
            now = max(now, deadline)
            core.handleDeadline(at: now)
            drain()
        }
    }

    private mutating func differ(_ name: String, _ text: String) { differences.append("\(name): \(text)") }

    // MARK: - Ours

    private mutating func expect(_ step: Step) {
        if sent.isEmpty { act(step.message) }
        let deadline = now + .seconds(40)
        var next = nextSent()
        while next == nil, let due = core.deadline, due <= deadline {
            now = max(now, due)
            core.handleDeadline(at: now)
            drain()
            next = nextSent()
        }
        guard let next else { return differ(step.name, "nothing was sent") }
        compared += 1
        switch (step.message, next.message) {
        case (.request(let printed), .request(let ours)): compare(ours, with: printed, over: next.flow, step.name)
        case (.response(let printed), .response(let ours)): compare(ours, with: printed, step.name)
        default: differ(step.name, Self.summary(next.message))
        }
    }

    /// What a person would do to have that message sent.
    private mutating func act(_ message: Message) {
        switch message {
        case .request(let request):
            switch request.method {
            case .register:
                let ends = (try? request.headers.first(Expires.self))?.seconds == 0
                perform(ends ? .unregister(AccountID(rawValue: 0)) : .register(AccountID(rawValue: 0)))
            case .invite:
                if let call {
                    if isEstablished { perform(.reinvite(call, Self.movedMedia)) }
                } else {
                    let handle = CallHandle(rawValue: 1)
                    call = handle
                    perform(
                        .call(
                            handle,
                            OutgoingCall(
                                target: request.uri, media: Self.media, offersInInvite: !request.body.isEmpty,
                                redirectionLimit: 5)))
                }
            case .bye, .cancel: if let call { perform(.hangUp(call)) }
            default: break
            }
        case .response(let response):
            guard let call, response.cSeq.method == .invite else { return }
            if response.status == 180 {
                perform(.ring(call))
            } else if response.status.isSuccess {
                perform(.answer(call, Self.media))
            } else if response.status != 487 {
                perform(.reject(call, response.status))
            }
        }
    }

    private mutating func perform(_ command: Command) {
        core.perform(command, at: now)
        drain()
    }

    /// The next message that did not go out before.
    private mutating func nextSent() -> (message: Message, flow: Flow)? {
        while !sent.isEmpty {
            let next = sent.removeFirst()
            if seen.insert(next.message.bytes()).inserted { return next }
        }
        return nil
    }

    private mutating func drain() {
        while let output = core.nextOutput() {
            switch output {
            case .transmit(let transmit):
                if let message = try? MessageParser.parse(transmit.bytes) { sent.append((message, transmit.flow)) }
            case .resolve(let id, let request):
                let host = "\(request.target)"
                let ways = ([host] + (standIns[host].map { [$0] } ?? [])).map {
                    Destination(transport: request.transport ?? .udp, remote: address(of: $0), local: Self.local)
                }
                core.receive(.resolved(id, ways), at: now)
            case .event(.incomingCall(let handle, _)): call = handle
            case .event(.established): isEstablished = true
            case .event, .serverFailed, .abandon: break
            }
        }
    }

    // MARK: - What is compared

    private mutating func compare(_ ours: Request, with printed: Request, over flow: Flow, _ name: String) {
        let except = exceptions[name] ?? []
        func hold(_ what: String, _ ours: some Equatable, _ printed: some Equatable) {
            if "\(ours)" != "\(printed)" { differences.append("\(name) \(what): \(ours), not \(printed)") }
        }
        hold("method", ours.method, printed.method)
        hold("URI", Self.place(ours.uri), Self.place(printed.uri))
        // The ACK of a refusal bears the Route of its INVITE (RFC 3261 §17.1.1.3), which the RFC leaves out.
        let refused = printed.method == .ack ? printed.vias.first?.branch.flatMap { printedRoutes[$0] } : nil
        if !except.contains(.route) { hold("route", Self.route(ours), refused ?? Self.route(printed)) }
        hold("body", !ours.body.isEmpty, !printed.body.isEmpty)
        let known = callIDs[printed.callID] ?? ours.callID
        hold("Call-ID", ours.callID, known)
        callIDs[printed.callID] = known
        holdTag(ours.from.tag, printed.from.tag, isOurs: true, name)
        holdTag(ours.to.tag, printed.to.tag, isOurs: false, name)
        hold("CSeq method", ours.cSeq.method, printed.cSeq.method)
        let first = firstNumbers[printed.callID] ?? (printed.cSeq.number, ours.cSeq.number)
        firstNumbers[printed.callID] = first
        let step = Int(printed.cSeq.number) - Int(first.printed)
        hold("CSeq", Int(ours.cSeq.number) - Int(first.ours), step)
        // The first request of some flows bears credentials of before.
        if step > 0, printed.method == .invite || printed.method == .register {
            hold("credentials", Self.credentials(ours), Self.credentials(printed))
        }
        if let branch = printed.vias.first?.branch {
            requests[branch] = (ours, flow)
            if printed.method == .invite { printedRoutes[branch] = Self.route(printed) }
        }
        if let uri = (try? ours.headers.first(Contact.self))?.uri { contact = "\(uri)" }
    }

    private mutating func compare(_ ours: Response, with printed: Response, _ name: String) {
        func hold(_ what: String, _ ours: some Equatable, _ printed: some Equatable) {
            if "\(ours)" != "\(printed)" { differences.append("\(name) \(what): \(ours), not \(printed)") }
        }
        hold("status", ours.status, printed.status)
        hold("CSeq", ours.cSeq, printed.cSeq)
        hold("Via", ours.vias.map(\.branch), printed.vias.map(\.branch))
        hold("recorded route", ours.headers.recorded, printed.headers.recorded)
        hold("body", !ours.body.isEmpty, !printed.body.isEmpty)
        hold("Contact", ours.headers.contains(.contact), printed.headers.contains(.contact))
        holdTag(ours.from.tag, printed.from.tag, isOurs: false, name)
        // The answer to a CANCEL has the tag of the INVITE (RFC 3261 §9.2), which the RFC leaves out.
        if printed.cSeq.method != .cancel { holdTag(ours.to.tag, printed.to.tag, isOurs: true, name) }
        if let uri = (try? ours.headers.first(Contact.self))?.uri { contact = "\(uri)" }
    }

    /// A tag of ours is what it was before under the printed one; a peer's is the printed one.
    private mutating func holdTag(_ ours: String?, _ printed: String?, isOurs: Bool, _ name: String) {
        guard let printed, let ours else {
            if (printed == nil) != (ours == nil) { differ(name, "a tag \(ours ?? "none"), not \(printed ?? "none")") }
            return
        }
        let expected = tags[printed] ?? (isOurs ? ours : printed)
        if ours != expected { differ(name, "the tag \(ours), not \(expected)") }
        if isOurs { tags[printed] = ours }
    }

    /// Without the parameters of the transport, which the printed addresses of requests lack.
    private static func place(_ uri: URI) -> String {
        guard let uri = uri.sipURI else { return "\(uri)" }
        return "\(uri.user ?? "")@\(uri.host)"
    }

    private static func route(_ request: Request) -> [String] {
        ((try? request.headers.all(Route.self)) ?? []).map { place($0.address.uri) }
    }

    private static func credentials(_ request: Request) -> Int {
        request.headers.values(.authorization).count + request.headers.values(.proxyAuthorization).count
    }

    private static func summary(_ message: Message) -> String {
        switch message {
        case .request(let request): "\(request.method) \(request.uri)"
        case .response(let response): "\(response.status) to \(response.cSeq)"
        }
    }

    // MARK: - Theirs

    private mutating func receive(_ step: Step) {
        while let extra = nextSent() { differ("before \(step.name)", Self.summary(extra.message)) }
        let text = contact.map { step.text.replacing(printedContact, with: $0) } ?? step.text
        guard var message = try? MessageParser.parse(Array(text.utf8)) else {
            return differ(step.name, "with our address it can not be read")
        }
        let remote: SocketAddress
        switch message {
        case .request(var request):
            request.callID = callIDs[request.callID] ?? request.callID
            if let tag = request.to.tag { request.to.tag = tags[tag] ?? tag }
            message = .request(request)
            remote = request.vias.first.map { address(of: "\($0.host)") } ?? Self.local
        case .response(var response):
            guard let branch = response.vias.first?.branch, let (request, flow) = requests[branch] else {
                return differ(step.name, "answers nothing of ours")
            }
            let tag = response.to.tag
            response.vias = request.vias
            response.callID = request.callID
            response.from = request.from
            response.to = request.to
            if response.to.tag == nil { response.to.tag = tag }
            response.cSeq = CSeq(number: request.cSeq.number, method: response.cSeq.method)
            message = .response(response)
            remote = flow.remote
        }
        let transport = message.vias.first?.transport ?? .udp
        let connection = transport == .udp ? nil : ConnectionID(rawValue: UInt64(remote.port) + 1)
        let flow = Flow(transport: transport, local: Self.local, remote: remote, connection: connection)
        core.receive(.received(message.bytes(), over: flow), at: now)
        drain()
    }

    /// An address for each host that a message names.
    private mutating func address(of host: String) -> SocketAddress {
        if let known = hosts[host] { return known }
        let new = SocketAddress(.v4(0xc000_0265 + UInt32(hosts.count)), port: 5060)
        hosts[host] = new
        return new
    }
}

extension Headers {
    /// The entries of Record-Route, topmost first.
    fileprivate var recorded: [String] { ((try? all(RecordRoute.self)) ?? []).map { "\($0.address.uri)" } }
}
