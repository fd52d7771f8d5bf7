import EngineKit
import SIPMessages
import SIPTransactions

extension Workload {
    /// Whole transactions between two layers in memory, each message written and parsed as on the wire: what one core
    /// can do of RFC 3261 §17 without sockets. Each starts 200 microseconds of virtual time after the one before, so
    /// that thousands of completed ones linger over UDP. Nothing may be left over.
    static var transactions: Workload {
        Workload(name: "transactions", usage: "[COUNT]") { arguments in
            let count = arguments.first.flatMap { Int($0) } ?? 100_000
            for transport in [Transport.udp, .tcp] {
                for method in [Method.options, .invite] {
                    var pair = TransactionPair(transport: transport)
                    let elapsed = ContinuousClock().measure { pair.run(method, count: count) }
                    let rate = Int(Double(pair.completed) / elapsed.inSeconds)
                    print(
                        #"{"name":"transactions","method":"\#(method)","transport":"\#(transport)","count":\#(count),"#
                            + #""per_second":\#(rate),"messages":\#(pair.messages),"left_over":\#(pair.left)}"#)
                }
            }
        }
    }
}

/// A client and a server layer whose outputs are each other's inputs.
private struct TransactionPair {
    var client: TransactionLayer
    var server: TransactionLayer
    let clientFlow: Flow
    let serverFlow: Flow
    var now = Instant.zero
    private(set) var completed = 0
    private(set) var messages = 0

    init(transport: Transport) {
        let limits = TransactionLayer.Limits(server: 1 << 20, client: 1 << 20)
        client = TransactionLayer(limits: limits)
        server = TransactionLayer(limits: limits)
        let left = SocketAddress(.v4(0xc000_0201), port: 5060)
        let right = SocketAddress(.v4(0xc000_0202), port: 5060)
        let connection = transport.isReliable ? ConnectionID(rawValue: 1) : nil
        clientFlow = Flow(transport: transport, local: left, remote: right, connection: connection)
        serverFlow = Flow(transport: transport, local: right, remote: left, connection: connection)
    }

    /// Transactions that are neither completed nor ended.
    var left: Int { client.counts.clientTransactions + server.counts.serverTransactions }

    /// A new transaction each 200 microseconds of virtual time, so that thousands of completed ones linger.
    mutating func run(_ method: Method, count: Int) {
        for index in 0..<count {
            now += .microseconds(200)
            client.handleDeadline(at: now)
            server.handleDeadline(at: now)
            _ = client.send(request(method, index), over: clientFlow, at: now)
            settle()
        }
        for _ in 0..<40 {
            now += .seconds(1)
            client.handleDeadline(at: now)
            server.handleDeadline(at: now)
            settle()
        }
    }

    private mutating func settle() {
        var isBusy = true
        while isBusy {
            isBusy = false
            while let output = client.nextOutput() {
                isBusy = true
                switch output {
                case .transmit(let transmit): deliver(transmit.bytes, isForServer: true)
                case .event(.response(let response, _, _)) where response.status.isFinal: completed += 1
                case .event: break
                }
            }
            while let output = server.nextOutput() {
                isBusy = true
                switch output {
                case .transmit(let transmit): deliver(transmit.bytes, isForServer: false)
                case .event(.request(let request, let id, _)):
                    let status: StatusCode = request.method == .invite ? 486 : 200
                    server.respond(request.response(status, toTag: "bob"), in: id, at: now)
                case .event: break
                }
            }
        }
    }

    private mutating func deliver(_ bytes: [UInt8], isForServer: Bool) {
        messages += 1
        guard let message = try? MessageParser.parse(bytes) else { return }
        if isForServer {
            server.receive(message, over: serverFlow, at: now)
        } else {
            client.receive(message, over: clientFlow, at: now)
        }
    }

    private func request(_ method: Method, _ index: Int) -> Request {
        let bob = SIPURI(user: "bob", host: .address(.v4(0xc000_0202)))
        let alice = SIPURI(user: "alice", host: .address(.v4(0xc000_0201)))
        var from = NameAddress(displayName: "Alice", uri: .sip(alice))
        from.tag = "a\(index)"
        let via = Via(
            transport: clientFlow.transport, host: .address(.v4(0xc000_0201)), branch: "z9hG4bK\(index)")
        return Request(
            method: method, uri: .sip(bob), vias: [via], from: from, to: NameAddress(uri: .sip(bob)),
            callID: "\(index)@192.0.2.1", cSeq: CSeq(1, method))
    }
}
