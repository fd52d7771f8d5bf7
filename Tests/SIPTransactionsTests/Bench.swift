import EngineKit
import SIPMessages
import SIPTransactions

/// A layer under virtual time, whose outputs are written down as lines of text: the time in milliseconds, `>` and the
/// first line of what was sent, or `!` and the event.
struct Bench {
    var layer: TransactionLayer
    private(set) var now = Instant.zero
    private(set) var sent: [Transmit] = []
    private let book = Book()
    let flow: Flow

    static let us = SocketAddress(.v4(0xc000_0201), port: 5060)
    static let peer = SocketAddress(.v4(0xc000_0202), port: 5060)

    init(
        _ transport: Transport = .udp, timers: TransactionTimers = .standard,
        limits: TransactionLayer.Limits = .standard
    ) {
        layer = TransactionLayer(timers: timers, limits: limits)
        flow = Flow(
            transport: transport, local: Self.us, remote: Self.peer,
            connection: transport.isReliable ? ConnectionID(rawValue: 1) : nil)
    }

    /// Lets time pass to `milliseconds`, stopping at each deadline on the way.
    mutating func run(to milliseconds: Int) {
        let end = Instant.zero + .milliseconds(milliseconds)
        while let deadline = layer.deadline, deadline <= end {
            now = max(now, deadline)
            layer.handleDeadline(at: now)
            drain()
        }
        now = end
    }

    /// Lets time pass without serving any deadline on the way, as a machine that sleeps.
    mutating func sleep(to milliseconds: Int) {
        now = Instant.zero + .milliseconds(milliseconds)
        layer.handleDeadline(at: now)
        drain()
    }

    @discardableResult
    mutating func send(_ request: Request) -> ClientTransactionID {
        defer { drain() }
        return layer.send(request, over: flow, at: now)
    }

    mutating func receive(_ request: Request, over other: Flow? = nil) {
        layer.receive(.request(request), over: other ?? flow, at: now)
        drain()
    }

    mutating func receive(_ response: Response, over other: Flow? = nil) {
        layer.receive(.response(response), over: other ?? flow, at: now)
        drain()
    }

    mutating func respond(_ response: Response, in id: ServerTransactionID) {
        layer.respond(response, in: id, at: now)
        drain()
    }

    @discardableResult
    mutating func cancel(_ id: ClientTransactionID) -> ClientTransactionID? {
        defer { drain() }
        return layer.cancel(id, at: now)
    }

    /// Repeats a 2xx.
    mutating func accept(again id: ServerTransactionID) -> Bool {
        defer { drain() }
        return layer.retransmitAcceptance(in: id)
    }

    mutating func perform(_ action: (inout TransactionLayer, Instant) -> Void) {
        action(&layer, now)
        drain()
    }

    /// The lines since the last call.
    func log() -> [String] {
        defer { book.lines = [] }
        return book.lines
    }

    /// Shared, so that an expectation may take lines out of it.
    private final class Book {
        var lines: [String] = []
    }

    private mutating func drain() {
        while let output = layer.nextOutput() {
            let time = (now - .zero).saturatedNanoseconds / 1_000_000
            switch output {
            case .transmit(let transmit):
                sent.append(transmit)
                book.lines.append("\(time) > \(Self.summary(transmit.bytes))")
            case .event(let event):
                book.lines.append("\(time) ! \(Self.summary(event))")
            }
        }
    }

    /// The method of a request, the status code of a response.
    static func summary(_ bytes: [UInt8]) -> String {
        let words = bytes.prefix(64).split(separator: UInt8(ascii: " "))
        let first = String(decoding: words.first ?? [], as: UTF8.self)
        return first == "SIP/2.0" ? String(decoding: words.dropFirst().first ?? [], as: UTF8.self) : first
    }

    private static func summary(_ event: TransactionLayer.Event) -> String {
        switch event {
        case .request(let request, let id, _): "request \(request.method.name) s\(id.rawValue)"
        case .cancelled(let invite, let cancel, _): "cancelled s\(invite.rawValue) by s\(cancel.rawValue)"
        case .acknowledgement: "acknowledgement"
        case .response(let response, let id, _): "response \(response.status.value) c\(id.rawValue)"
        case .strayResponse(let response, _): "stray \(response.status.value)"
        case .timedOut(let id): "timed out c\(id.rawValue)"
        case .transportFailed(.client(let id)): "transport failed c\(id.rawValue)"
        case .transportFailed(.server(let id)): "transport failed s\(id.rawValue)"
        case .acknowledgementTimedOut(let id): "unacknowledged s\(id.rawValue)"
        case .terminated(.client(let id)): "terminated c\(id.rawValue)"
        case .terminated(.server(let id)): "terminated s\(id.rawValue)"
        }
    }
}

/// The name of the transaction that a fresh layer makes first.
let firstServer = ServerTransactionID(rawValue: 1)
let firstClient = ClientTransactionID(rawValue: 1)

/// A request from Alice to Bob. `via` replaces the whole value of the Via field.
func request(
    _ method: String, branch: String = "z9hG4bKone", via: String? = nil, transport: String = "UDP",
    toTag: String? = nil,
    cSeq: Int = 1, extra: [String] = []
) throws -> Request {
    let via = via ?? "SIP/2.0/\(transport) 192.0.2.2;branch=\(branch)"
    let tag = toTag.map { ";tag=\($0)" } ?? ""
    let lines =
        [
            "\(method) sip:bob@192.0.2.1 SIP/2.0", "Via: \(via)", "Max-Forwards: 70",
            "From: Alice <sip:alice@192.0.2.2>;tag=alice", "To: Bob <sip:bob@192.0.2.1>\(tag)",
            "Call-ID: call@192.0.2.2", "CSeq: \(cSeq) \(method)",
        ] + extra + ["Content-Length: 0", "", ""]
    let message = try MessageParser.parse(Array(lines.joined(separator: "\r\n").utf8))
    guard case .request(let request) = message else { throw NotARequest() }
    return request
}

struct NotARequest: Error {}
