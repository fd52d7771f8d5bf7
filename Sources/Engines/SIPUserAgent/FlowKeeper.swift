import EngineKit
import SIPMessages
import SIPTransactions

/// Keeps the flow of one registration open through translators, and notices when it fails (RFC 5626 §4.4).
struct FlowKeeper: Sendable {
    enum Probe: Hashable, Sendable {
        /// A Binding request over UDP, which has to be answered (§4.4.2).
        case binding
        /// Two blank lines on a connection, answered by one (§4.4.1).
        case answeredBlank
        /// Blank lines that nobody is expected to answer: the server did not say that it would.
        case blank
        /// Nothing is sent; the flow is known all the same.
        case none
    }

    enum Action: Equatable {
        case none
        case send([UInt8])
        /// Nothing came back, or the translator gave us another address.
        case fail
    }

    /// How long an answer is waited for.
    static let patience = Duration.seconds(10)
    private static let firstInterval = Duration.milliseconds(500)

    /// A connection that ends sooner was not meant to stay.
    static let leastLife = Duration.seconds(60)

    let flow: Flow
    let probe: Probe
    let since: Instant
    /// Each wait is drawn anew from these, so that phones do not fall into step.
    let intervals: ClosedRange<Duration>
    /// Whether the server has answered any keep-alive on this flow, without which the flow does not count as good (§4.5).
    private(set) var isProven = false
    /// When a response last made us refresh the registration out of turn.
    var refreshedAt: Instant?
    private var state: State
    /// Where the server saw us at first.
    private var mapped: SocketAddress?

    private enum State: Sendable {
        case resting(until: Instant)
        case waiting(BindingRequest?, repeatAt: Instant, interval: Duration, giveUpAt: Instant)
    }

    init(flow: Flow, probe: Probe, intervals: ClosedRange<Duration>, at now: Instant, random: inout RandomSource) {
        self.flow = flow
        self.probe = probe
        self.intervals = intervals
        since = now
        state = .resting(until: now + Self.draw(intervals, &random))
    }

    var deadline: Instant? {
        if probe == .none { return nil }
        switch state {
        case .resting(let until): return until
        case .waiting(_, let repeatAt, _, let giveUpAt): return min(repeatAt, giveUpAt)
        }
    }

    mutating func handleDeadline(at now: Instant, random: inout RandomSource) -> Action {
        guard let deadline, now >= deadline else { return .none }
        switch state {
        case .resting:
            switch probe {
            case .none: return .none
            case .blank:
                rest(at: now, &random)
                return .send(Self.ping)
            case .answeredBlank:
                // The connection repeats what is lost by itself.
                state = .waiting(
                    nil, repeatAt: .distantFuture, interval: Self.patience, giveUpAt: now + Self.patience)
                return .send(Self.ping)
            case .binding:
                let request = BindingRequest(random: &random)
                state = .waiting(
                    request, repeatAt: now + Self.firstInterval, interval: Self.firstInterval,
                    giveUpAt: now + Self.patience)
                return .send(request.bytes)
            }
        case .waiting(let request, _, let interval, let giveUpAt):
            guard now < giveUpAt, let request else { return .fail }
            // RFC 8489 §6.2.1: each wait is twice the one before.
            state = .waiting(request, repeatAt: now + interval * 2, interval: interval * 2, giveUpAt: giveUpAt)
            return .send(request.bytes)
        }
    }

    /// A blank line came on the flow's connection.
    mutating func receivePong(at now: Instant, random: inout RandomSource) {
        guard case .waiting(nil, _, _, _) = state else { return }
        isProven = true
        rest(at: now, &random)
    }

    /// A STUN message came on the flow.
    mutating func receive(_ bytes: [UInt8], at now: Instant, random: inout RandomSource) -> Action {
        guard case .waiting(let request?, _, _, _) = state, let answer = request.answer(in: bytes) else { return .none }
        guard case .success(let address) = answer else { return .fail }
        isProven = true
        rest(at: now, &random)
        guard let address else { return .none }
        defer { mapped = address }
        return mapped == nil || mapped == address ? .none : .fail
    }

    /// Whether a change of address that a response shows may refresh the registration now: proxies that see us by
    /// different addresses would make us ask at each of their answers.
    func mayRefresh(at now: Instant) -> Bool {
        refreshedAt.map { now - $0 >= .seconds(30) } ?? true
    }

    private mutating func rest(at now: Instant, _ random: inout RandomSource) {
        state = .resting(until: now + Self.draw(intervals, &random))
    }

    private static func draw(_ intervals: ClosedRange<Duration>, _ random: inout RandomSource) -> Duration {
        let range = intervals.lowerBound.saturatedNanoseconds...intervals.upperBound.saturatedNanoseconds
        return .nanoseconds(Int64.random(in: range, using: &random))
    }

    static let ping = Array("\r\n\r\n".utf8)
}

extension Transmit {
    /// Whether this keeps a flow open, and is no message.
    package var isKeepAlive: Bool { bytes == FlowKeeper.ping || BindingRequest.isSTUN(bytes) }
}
