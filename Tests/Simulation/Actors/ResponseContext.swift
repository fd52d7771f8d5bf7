import EngineKit
import SIPMessages
import SIPTransactions

/// What a proxy keeps of a request until it is answered (RFC 3261 §16.7).
struct ResponseContext: Sendable {
    /// How long an INVITE may ring (timer C).
    static let timerC = Duration.seconds(185)

    struct Branch: Sendable {
        let transaction: ClientTransactionID
        var hasProvisional = false
        /// To be cancelled as soon as a provisional response comes.
        var isUnwanted = false
        var isCancelled = false
        var final: Response?
    }

    let request: Request
    var branches: [Branch] = []
    /// Whether a final response went upstream.
    var isAnswered = false
    /// Whether that was a refusal, so that its transaction takes no 2xx any more.
    var isRefused = false

    var isComplete: Bool { branches.allSatisfy { $0.final != nil } }

    /// §16.7 step 6: a 6xx, else the lowest class; challenges of all branches together.
    var best: Response? {
        let finals = branches.compactMap(\.final)
        if let decline = finals.first(where: { $0.status.value >= 600 }) { return decline }
        guard let lowest = finals.map({ $0.status.value / 100 }).min() else { return nil }
        let candidates = finals.filter { $0.status.value / 100 == lowest }
        guard var best = candidates.first(where: { [401, 407].contains($0.status.value) }) ?? candidates.first else {
            return nil
        }
        if [401, 407].contains(best.status.value) {
            for other in candidates where other != best {
                for challenge in (try? other.headers.all(WWWAuthenticate.self)) ?? [] { best.headers.append(challenge) }
                for challenge in (try? other.headers.all(ProxyAuthenticate.self)) ?? [] {
                    best.headers.append(challenge)
                }
            }
        }
        // Nobody upstream is to think that this proxy is overloaded.
        if best.status == 503 { best = request.response(500, toTag: "branches") }
        return best
    }
}

/// From responses of the branches to the one that goes upstream, RFC 3261 §16.7 to §16.10.
extension Proxy {
    mutating func receive(_ response: Response, in transaction: ClientTransactionID, at now: Instant) {
        if response.status.isFinal, noticeEnded(transaction, isTaken: response.status.isSuccess) { return }
        guard response.vias.count > 1, let server = contextOfBranch[transaction],
            let index = contexts[server]?.branches.firstIndex(where: { $0.transaction == transaction })
        else { return forwardStray(response) }
        var upstream = response
        upstream.vias.removeFirst()
        if response.status.isProvisional {
            contexts[server]?.branches[index].hasProvisional = true
            if response.cSeq.method == .invite { deadlines.set(server, at: now + ResponseContext.timerC) }
            cancelWhereUnwanted(index, of: server, at: now)
            if response.status != 100, contexts[server]?.isAnswered == false {
                transactions.respond(upstream, in: server, at: now)
            }
            return
        }
        if contexts[server]?.branches[index].final == nil { contexts[server]?.branches[index].final = upstream }
        if response.status.isSuccess {
            contexts[server]?.isAnswered = true
            // Each 2xx to an INVITE is forwarded, whatever went before (step 5).
            if contexts[server]?.isRefused == true { forwardStray(response) }
            transactions.respond(upstream, in: server, at: now)
            cancelBranches(of: server, at: now)
        } else {
            if response.status.value >= 600 { cancelBranches(of: server, at: now) }
            answerWhenComplete(server, at: now)
        }
    }

    /// A branch has no answer, as if it had been this one.
    mutating func branchFailed(_ transaction: ClientTransactionID, _ status: StatusCode, at now: Instant) {
        if noticeEnded(transaction, isTaken: false) { return }
        guard let server = contextOfBranch[transaction],
            let index = contexts[server]?.branches.firstIndex(where: { $0.transaction == transaction }),
            contexts[server]?.branches[index].final == nil, let request = contexts[server]?.request
        else { return }
        contexts[server]?.branches[index].final = request.response(status, toTag: settings.name)
        answerWhenComplete(server, at: now)
    }

    private mutating func answerWhenComplete(_ server: ServerTransactionID, at now: Instant) {
        guard let context = contexts[server], context.isComplete, !context.isAnswered, let best = context.best else {
            return
        }
        contexts[server]?.isAnswered = true
        contexts[server]?.isRefused = true
        deadlines.cancel(server)
        transactions.respond(best, in: server, at: now)
    }

    /// Cancels what still rings (§16.10), each branch as soon as it may be (§9.1).
    mutating func cancelBranches(of server: ServerTransactionID, at now: Instant) {
        guard let context = contexts[server], context.request.method == .invite else { return }
        for index in context.branches.indices where context.branches[index].final == nil {
            contexts[server]?.branches[index].isUnwanted = true
            cancelWhereUnwanted(index, of: server, at: now)
        }
    }

    private mutating func cancelWhereUnwanted(_ index: Int, of server: ServerTransactionID, at now: Instant) {
        guard let branch = contexts[server]?.branches[index], branch.isUnwanted, branch.hasProvisional,
            !branch.isCancelled, transactions.cancel(branch.transaction, at: now) != nil
        else { return }
        contexts[server]?.branches[index].isCancelled = true
    }

    /// It rang too long (§16.8).
    mutating func timerC(_ server: ServerTransactionID, at now: Instant) {
        guard let context = contexts[server], !context.isAnswered else { return }
        for branch in context.branches where branch.final == nil && !branch.hasProvisional {
            branchFailed(branch.transaction, 408, at: now)
        }
        cancelBranches(of: server, at: now)
    }

    /// A response whose transaction is gone goes on without state, where it is a 2xx to an INVITE (§16.7, RFC 6026 §6).
    mutating func forwardStray(_ response: Response) {
        guard response.cSeq.method == .invite, response.status.isSuccess, response.vias.count > 1 else { return }
        var upstream = response
        upstream.vias.removeFirst()
        let via = upstream.vias[0]
        guard let address = via.received ?? via.host.address else { return }
        let port: UInt16 = if case .value(let port) = via.rport { port } else { via.port ?? via.transport.defaultPort }
        let flow = Flow(transport: via.transport, local: settings.address, remote: SocketAddress(address, port: port))
        transmit(upstream.bytes(), over: flow)
    }
}
