import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import Testing

/// Two layers over a network that loses, doubles and delays, all from a seed.
private struct LossyPair {
    enum Side: Int { case caller, callee }

    private struct Datagram {
        let at: Instant
        let sequence: Int
        let bytes: [UInt8]
        let to: Side
    }

    var layers = [TransactionLayer(), TransactionLayer()]
    var now = Instant.zero
    var loss: Double
    private var random: RandomSource
    private var inFlight: [Datagram] = []
    private var sequence = 0
    private(set) var finals: [ClientTransactionID: Int] = [:]
    private(set) var timeouts = 0
    private(set) var delivered: [ServerTransactionID] = []

    init(seed: UInt64, loss: Double) {
        random = RandomSource(seed: seed)
        self.loss = loss
    }

    private func flow(of side: Side) -> Flow {
        side == .caller
            ? Flow(transport: .udp, local: Bench.peer, remote: Bench.us)
            : Flow(transport: .udp, local: Bench.us, remote: Bench.peer)
    }

    mutating func send(_ request: Request) -> ClientTransactionID {
        layers[Side.caller.rawValue].send(request, over: flow(of: .caller), at: now)
    }

    /// Runs until nothing is in flight and no deadline is set.
    mutating func runToQuiescence() throws {
        try drain(.caller)
        for _ in 0..<100_000 {
            let deadlines = layers.compactMap(\.deadline) + inFlight.map(\.at)
            guard let next = deadlines.min() else { return }
            now = max(now, next)
            for (index, side) in [Side.caller, .callee].enumerated() {
                layers[index].handleDeadline(at: now)
                try drain(side)
            }
            let due = inFlight.filter { $0.at <= now }.sorted { ($0.at, $0.sequence) < ($1.at, $1.sequence) }
            inFlight.removeAll { $0.at <= now }
            for datagram in due {
                let message = try MessageParser.parse(datagram.bytes)
                layers[datagram.to.rawValue].receive(message, over: flow(of: datagram.to), at: now)
                try drain(datagram.to)
            }
        }
        Issue.record("the pair never came to rest")
    }

    private mutating func drain(_ side: Side) throws {
        while let output = layers[side.rawValue].nextOutput() {
            switch output {
            case .transmit(let transmit):
                cast(transmit.bytes, to: side == .caller ? .callee : .caller)
            case .event(.request(let request, let id, _)):
                delivered.append(id)
                answer(request, in: id)
            case .event(.response(let response, let id, _)) where response.status.isFinal:
                finals[id, default: 0] += 1
            case .event(.timedOut):
                timeouts += 1
            case .event:
                break
            }
        }
    }

    private mutating func answer(_ request: Request, in id: ServerTransactionID) {
        let status: StatusCode = request.method == .invite ? 486 : 200
        layers[Side.callee.rawValue].respond(request.response(status, toTag: "bob"), in: id, at: now)
    }

    private mutating func cast(_ bytes: [UInt8], to side: Side) {
        let copies = Double.random(in: 0..<1, using: &random) < 0.1 ? 2 : 1
        for _ in 0..<copies where Double.random(in: 0..<1, using: &random) >= loss {
            sequence += 1
            let delay = Duration.milliseconds(Int.random(in: 1...300, using: &random))
            inFlight.append(Datagram(at: now + delay, sequence: sequence, bytes: bytes, to: side))
        }
    }
}

@Suite struct LossTests {
    @Test(.proves(.incident(39)), arguments: [0.0, 0.2, 0.5, 1.0])
    func everyTransactionEndsOnceAndNothingIsLeft(loss: Double) throws {
        for seed in 0..<40 as Range<UInt64> {
            var pair = LossyPair(seed: seed, loss: loss)
            var ids: [ClientTransactionID] = []
            for index in 0..<6 {
                let method = index % 2 == 0 ? "INVITE" : "OPTIONS"
                ids.append(pair.send(try request(method, branch: "z9hG4bK\(index)", cSeq: index + 1)))
            }
            try pair.runToQuiescence()
            #expect(pair.layers.allSatisfy { $0.counts.isQuiescent }, "seed \(seed)")
            #expect(pair.finals.values.allSatisfy { $0 == 1 }, "seed \(seed)")
            #expect(pair.finals.count + pair.timeouts == ids.count, "seed \(seed)")
            #expect(pair.delivered.count <= ids.count, "seed \(seed)")
            if loss <= 0.2 { #expect(pair.timeouts == 0, "seed \(seed)") }
            if loss == 1.0 { #expect(pair.timeouts == ids.count, "seed \(seed)") }
        }
    }
}
