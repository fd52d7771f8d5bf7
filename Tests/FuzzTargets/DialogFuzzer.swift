import EngineKit
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import ServerLocation

extension FuzzTarget {
    /// A user agent to which the bytes are the peers, the user, the network and the clock. In the end it shuts down,
    /// and nothing may be left.
    static func dialog(_ bytes: [UInt8]) throws(Fault) {
        guard var fuzzer = DialogFuzzer(bytes) else { return }
        try fuzzer.run()
    }
}

/// One run of a user agent. Each step is an octet that says what happens, and those that say how.
struct DialogFuzzer {
    private var input: FuzzInput
    private var core: UserAgentCore
    private var now = Instant.zero
    private var questions: [ResolveID] = []
    /// What the user agent sent last, oldest first.
    private var sent: [(message: Message, flow: Flow)] = []
    private var calls: [CallHandle] = []
    private var lastCall: UInt32 = 0
    /// Octets that are no message of ours came in: answers may copy what can not be read.
    private var hasSpokenNonsense = false

    private static let local = SocketAddress(.v4(0xc000_0201), port: 5060)
    private static let remote = SocketAddress(.v4(0xc000_0209), port: 5060)
    private static let media = LocalMedia(rtpPort: 16384)
    private static let description = """
        v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 20000 RTP/AVP 0\r\n
        """
    private static let fields = [
        "Contact: <sip:peer@192.0.2.9>", "Contact: *", "Record-Route: <sip:192.0.2.9;lr>", "Record-Route: <sip:a>",
        "Require: 100rel", "Supported: 100rel, replaces, timer", "RSeq: 1", "RSeq: 2", "RAck: 1 1 INVITE",
        "Retry-After: 1", "Expires: 1", "Min-Expires: 7200", "Replaces: call;to-tag=a;from-tag=b",
        "Refer-To: <sip:b@192.0.2.9>", "Refer-To: <sip:b@192.0.2.9?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>",
        "Event: refer", "Event: message-summary", "Subscription-State: terminated", "Subscription-State: active",
        "Content-Type: message/sipfrag", "Content-Type: application/dtmf-relay", "Refer-Sub: false",
        "WWW-Authenticate: Digest realm=\"a\", nonce=\"n\", qop=\"auth\"",
        "Proxy-Authenticate: Digest realm=\"a\", nonce=\"n\", stale=true", "Reason: SIP;cause=200",
        "Session-Expires: 90;refresher=uas", "Min-SE: 90", "Unsupported: 100rel", "Content-Encoding: gzip",
    ]
    private static let methods: [SIPMessages.Method] = [
        .invite, .ack, .bye, .cancel, .options, .prack, .update, .info, .refer, .notify, .subscribe, .message,
        .register, .publish, .other("JUMP"),
    ]
    private static let statuses: [StatusCode] = [
        100, 180, 183, 199, 200, 202, 301, 302, 305, 380, 400, 401, 403, 404, 405, 407, 408, 415, 420, 421, 422, 423,
        480, 481, 482, 486, 487, 488, 491, 500, 501, 503, 504, 513, 600, 603,
    ]

    init?(_ bytes: [UInt8]) {
        input = FuzzInput(bytes)
        guard let address = try? NameAddress(parsing: "<sip:alice@example.com>"),
            let server = try? URI(parsing: "sip:192.0.2.9")
        else { return nil }
        var account = Account.anonymousPeerToPeer(user: "alice")
        if input.flag() {
            account = Account(
                id: AccountID(rawValue: 0), name: "work", address: address, registrar: server,
                credentials: AccountCredentials(username: "alice", password: Secret("wonderland")),
                outboundProxy: input.flag() ? server : nil, isPeerToPeer: true)
        }
        core = UserAgentCore(
            configuration: UserAgentConfiguration(
                accounts: [account], capabilities: Self.media, limits: input.pick(.strict, .open(calls: 16)),
                reliableProvisionals: input.pick(.supported, .required, .off)),
            random: RandomSource(seed: UInt64(input.byte())))
        core.receive(
            .listening([
                Listener(transport: .udp, address: Self.local), Listener(transport: .tcp, address: Self.local),
            ]), at: now)
    }

    mutating func run() throws(FuzzTarget.Fault) {
        try drain()
        for _ in 0..<128 where !input.isAtEnd {
            switch input.byte() % 8 {
            case 0: try pass(.milliseconds(1 << Int64(input.byte() % 18)))
            case 1: core.perform(command(), at: now)
            case 2: respond()
            case 3: request()
            case 4:
                hasSpokenNonsense = true
                receive(Array(input.run()))
            case 5: reflect()
            case 6: network()
            default: try pass(.milliseconds(10))
            }
            try drain()
        }
        core.perform(.shutDown, at: now)
        try drain()
        // Every question is answered at last, in five seconds if need be.
        while !questions.isEmpty {
            resolve()
            try drain()
        }
        try pass(.seconds(400))
        try FuzzTarget.check(core.occupancy == .empty, "left behind: \(core.occupancy)")
    }

    private mutating func pass(_ time: Duration) throws(FuzzTarget.Fault) {
        let end = now + time
        var steps = 0
        while let deadline = core.deadline, deadline <= end {
            now = max(now, deadline)
            core.handleDeadline(at: now)
            try drain()
            steps += 1
            try FuzzTarget.check(steps < 100_000, "deadlines that do not end")
        }
        now = end
    }

    private mutating func drain() throws(FuzzTarget.Fault) {
        while let output = core.nextOutput() {
            switch output {
            case .transmit(let transmit) where transmit.isKeepAlive: break
            case .transmit(let transmit):
                guard let message = try? MessageParser.parse(transmit.bytes) else {
                    try FuzzTarget.check(
                        hasSpokenNonsense,
                        "sent what can not be read: \(String(decoding: transmit.bytes, as: UTF8.self))")
                    continue
                }
                sent.append((message, transmit.flow))
                if sent.count > 16 { sent.removeFirst() }
            case .resolve(let id, _):
                // Most questions are answered at once, the others when the bytes say so.
                questions.append(id)
                if input.byte() % 4 != 3 { resolve() }
            case .event(.incomingCall(let handle, _)): calls.append(handle)
            case .event, .serverFailed, .abandon: break
            }
        }
    }

    // MARK: - The user

    private mutating func command() -> Command {
        let handle = calls.isEmpty ? CallHandle(rawValue: 1) : calls[Int(input.byte()) % calls.count]
        switch input.byte() % 14 {
        case 0:
            lastCall += 1
            let new = CallHandle(rawValue: lastCall)
            calls.append(new)
            guard let target = try? URI(parsing: "sip:bob@192.0.2.9") else { return .shutDown }
            return .call(
                new,
                OutgoingCall(
                    target: target, media: Self.media, offersInInvite: !input.flag(),
                    redirectionLimit: Int(input.byte() % 6)))
        case 1: return .ring(handle)
        case 2: return .progress(handle, Self.media)
        case 3: return .answer(handle, Self.media, automatic: input.flag())
        case 4: return .reject(handle, input.pick(486, 603, 302, 480))
        case 5: return .hangUp(handle)
        case 6: return .hold(handle)
        case 7: return .resume(handle)
        case 8: return .reinvite(handle, input.flag() ? LocalMedia(rtpPort: 16386) : nil)
        case 9: return .sendDigits(handle, [.pause(.milliseconds(Int64(input.byte())))])
        case 10: return input.flag() ? .register(AccountID(rawValue: 0)) : .unregister(AccountID(rawValue: 0))
        case 11:
            guard !input.flag(), let target = try? URI(parsing: "sip:carol@192.0.2.9") else {
                return .transfer(handle, .attended(calls.last ?? handle))
            }
            return .transfer(handle, .blind(target), subscribes: !input.flag())
        case 12:
            lastCall += 1
            let new = CallHandle(rawValue: lastCall)
            calls.append(new)
            return .acceptTransfer(handle, as: new, Self.media)
        default: return input.flag() ? .declineTransfer(handle) : .hangUp(handle)
        }
    }

    // MARK: - The peers

    private mutating func tag() -> String? { input.pick("peer", "other", "third", nil) }

    private mutating func addition() -> (headers: Headers, body: [UInt8]) {
        var headers = Headers()
        for _ in 0..<Int(input.byte() % 5) {
            let field = Self.fields[Int(input.byte()) % Self.fields.count].split(separator: ":", maxSplits: 1)
            guard let name = HeaderName(String(field[0])), let value = field.last else { continue }
            try? headers.append(name, String(value.dropFirst()))
        }
        switch input.byte() % 4 {
        case 0: return (headers, [])
        case 1:
            headers.append(ContentType.sdp)
            return (headers, Array(Self.description.utf8))
        case 2:
            headers.append(ContentType.sdp)
            return (headers, Array(input.run()))
        default: return (headers, Array("SIP/2.0 200 OK\r\n".utf8))
        }
    }

    /// A response to a request that was sent.
    private mutating func respond() {
        let requests = sent.compactMap { if case .request(let request) = $0.message { request } else { nil } }
        guard !requests.isEmpty else { return }
        let request = requests[requests.count - 1 - Int(input.byte()) % requests.count]
        let status = Self.statuses[Int(input.byte()) % Self.statuses.count]
        var response = request.response(status, toTag: tag())
        (response.headers, response.body) = addition()
        receive(response.bytes())
    }

    /// A request: in a dialog where a message tells of one, and otherwise of its own.
    private mutating func request() {
        let method = Self.methods[Int(input.byte()) % Self.methods.count]
        guard let peer = try? NameAddress(parsing: "<sip:peer@192.0.2.9>"),
            let us = try? NameAddress(parsing: "<sip:alice@192.0.2.1>"),
            let uri = try? URI(parsing: "sip:alice@192.0.2.1")
        else { return }
        var request = Request(
            method: method, uri: uri, from: peer, to: us, callID: input.pick("call", "call-2", "call-3"),
            cSeq: CSeq(UInt32(input.byte()), method))
        request.from.tag = tag()
        if input.flag(), let (message, _) = sent.reversed().dropFirst(Int(input.byte() % 16)).first {
            switch message {
            case .request(let ours):
                request.callID = ours.callID
                request.from = ours.to
                request.to = ours.from
                if request.from.tag == nil { request.from.tag = tag() }
            case .response(let ours):
                request.callID = ours.callID
                request.from = ours.from
                request.to = ours.to
            }
        }
        var via = Via(transport: .udp, host: .address(Self.remote.address), branch: "z9hG4bK\(input.byte() % 16)")
        via.rport = .requested
        request.vias = [via]
        (request.headers, request.body) = addition()
        receive(request.bytes())
    }

    /// Something that we sent comes back, perhaps with an octet of it changed.
    private mutating func reflect() {
        guard !sent.isEmpty else { return }
        var bytes = sent[Int(input.byte()) % sent.count].message.bytes()
        if input.flag(), !bytes.isEmpty {
            hasSpokenNonsense = true
            let index = (Int(input.byte()) << 8 | Int(input.byte())) % bytes.count
            bytes[index] = input.byte()
        }
        receive(bytes)
    }

    private mutating func receive(_ bytes: [UInt8]) {
        let isStream = input.byte() % 8 == 7
        let flow = Flow(
            transport: isStream ? .tcp : .udp, local: Self.local, remote: Self.remote,
            connection: isStream ? ConnectionID(rawValue: 1) : nil)
        core.receive(.received(bytes, over: flow), at: now)
    }

    // MARK: - The network

    private mutating func resolve() {
        guard !questions.isEmpty else { return }
        let id = questions.removeFirst()
        let second = SocketAddress(.v4(0xc000_020a), port: 5060)
        let ways = [Self.remote, second].map {
            Destination(transport: .udp, remote: $0, local: Self.local)
        }
        switch input.byte() % 4 {
        case 0, 1: core.receive(.resolved(id, [ways[0]]), at: now)
        case 2: core.receive(.resolved(id, ways), at: now)
        default: core.receive(.resolutionFailed(id, .noSuchName), at: now)
        }
    }

    private mutating func network() {
        switch input.byte() % 4 {
        case 0: resolve()
        case 1: core.receive(.localAddressesChanged, at: now)
        case 2: core.receive(.connectionClosed(ConnectionID(rawValue: 1)), at: now)
        default:
            guard let flow = sent.last?.flow else { return }
            core.receive(.transmitFailed(flow, cause: nil, input.pick(.refused, .hostUnreachable, .tooLarge)), at: now)
        }
    }
}
