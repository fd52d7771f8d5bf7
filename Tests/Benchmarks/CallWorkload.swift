import EngineKit
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent

extension Workload {
    /// Calls that come in, are answered at once and hung up, in virtual time at 3,000 a second and without sockets: what
    /// the user agent alone takes for one, in the first tenth of the run and in the last. Nothing may be left.
    static var calls: Workload {
        Workload(name: "calls", usage: "[COUNT]") { arguments in
            let count = max(1000, arguments.first.flatMap { Int($0) } ?? 100_000)
            var run = CallRun()
            let first = run.nanoseconds(calling: count / 10)
            run.call(count - 2 * (count / 10))
            let last = run.nanoseconds(calling: count / 10)
            run.waitForTimers()
            print(
                #"{"name":"calls","count":\#(run.ended),"first_ns":\#(first),"last_ns":\#(last),"#
                    + #""left_over":\#(run.leftOver)}"#)
        }
    }
}

/// A user agent and its callers, by function calls. Messages are put together outside of the time that is taken.
private struct CallRun {
    private var core: UserAgentCore
    private var now = Instant.zero
    private var begun = 0
    private(set) var ended = 0
    private var spent = 0
    private let flow = Flow(
        transport: .udp, local: SocketAddress(.loopback, port: 5060), remote: SocketAddress(.loopback, port: 6060))
    private static let media = LocalMedia(rtpPort: 16_384)

    init() {
        var rules = AutomaticAnswerRules.standard
        rules.perCaller = .max
        rules.total = .max
        core = UserAgentCore(
            configuration: UserAgentConfiguration(
                capabilities: Self.media, limits: .open(calls: 10_000), automaticAnswer: rules),
            random: RandomSource(seed: 1))
        core.receive(.listening([Listener(transport: .udp, address: flow.local)]), at: now)
    }

    /// Everything that is kept of a call, of any table.
    var leftOver: Int {
        let occupancy = core.occupancy
        return occupancy.calls + occupancy.dialogNames + occupancy.invites + occupancy.requests
            + occupancy.serverTransactions + occupancy.deadlines
    }

    mutating func nanoseconds(calling count: Int) -> Int {
        let before = spent
        call(count)
        return (spent - before) / max(1, count)
    }

    /// So many calls, one hundred at a time.
    mutating func call(_ count: Int) {
        for _ in 0..<(count / 100) {
            let numbers = begun..<begun + 100
            begun += 100
            let answers = deliver(numbers.map(invite), pausing: .microseconds(333))
            let tags = answers.compactMap { bytes -> String? in
                guard case .response(let response)? = try? MessageParser.parse(bytes), response.status == 200 else {
                    return nil
                }
                return response.to.tag
            }
            let rest = zip(numbers, tags).flatMap { number, tag in
                [within(number, "ACK", 1, tag), within(number, "BYE", 2, tag)]
            }
            _ = deliver(rest, pausing: .zero)
        }
    }

    /// Until the last timer ran out.
    mutating func waitForTimers() {
        while let deadline = core.deadline {
            now = max(now, deadline)
            core.handleDeadline(at: now)
            _ = settle()
        }
    }

    private mutating func deliver(_ messages: [[UInt8]], pausing pause: Duration) -> [[UInt8]] {
        var sent: [[UInt8]] = []
        let start = threadNanoseconds()
        for bytes in messages {
            now += pause
            if let deadline = core.deadline, deadline <= now { core.handleDeadline(at: now) }
            core.receive(.received(bytes, over: flow), at: now)
            sent += settle()
        }
        spent += threadNanoseconds() - start
        return sent
    }

    private mutating func settle() -> [[UInt8]] {
        var sent: [[UInt8]] = []
        while let output = core.nextOutput() {
            switch output {
            case .transmit(let transmit): sent.append(transmit.bytes)
            case .event(.incomingCall(let call, _)):
                core.perform(.answer(call, Self.media, automatic: true), at: now)
            case .event(.ended): ended += 1
            case .event, .resolve, .serverFailed, .abandon: break
            }
        }
        return sent
    }

    private func invite(_ number: Int) -> [UInt8] {
        let body = """
            v=0\r
            o=user1 53655765 2353687637 IN IP4 127.0.0.1\r
            s=-\r
            c=IN IP4 127.0.0.1\r
            t=0 0\r
            m=audio 40000 RTP/AVP 0\r
            a=rtpmap:0 PCMU/8000\r

            """
        return request(
            number, "INVITE", 1, to: "",
            more: "Contact: sip:sipp@127.0.0.1:6060\r\nContent-Type: application/sdp\r\n", body: body)
    }

    private func within(_ number: Int, _ method: String, _ sequence: Int, _ tag: String) -> [UInt8] {
        request(number, method, sequence, to: ";tag=\(tag)", more: "", body: "")
    }

    private func request(
        _ number: Int, _ method: String, _ sequence: Int, to tag: String, more: String, body: String
    ) -> [UInt8] {
        Array(
            """
            \(method) sip:service@127.0.0.1:5060 SIP/2.0\r
            Via: SIP/2.0/UDP 127.0.0.1:6060;branch=z9hG4bK-\(method)-\(number)\r
            From: sipp <sip:sipp@127.0.0.1:6060>;tag=4711SIPpTag00\(number)\r
            To: <sip:service@127.0.0.1:5060>\(tag)\r
            Call-ID: \(number)-4711@127.0.0.1\r
            CSeq: \(sequence) \(method)\r
            \(more)Max-Forwards: 70\r
            Content-Length: \(body.utf8.count)\r
            \r
            \(body)
            """.utf8)
    }
}
