import EngineKit
import SIPMessages
import SIPTransactions

/// From a request to its targets, RFC 3261 §16.3 to §16.6.
extension Proxy {
    /// Where a copy of a request goes.
    struct Target {
        /// The new Request-URI; nil leaves it.
        var uri: URI?
        var flow: Flow
        /// Whether the flow leads to a phone of ours, and so is named in Record-Route.
        var isOurPhone = false
    }

    mutating func receive(_ event: TransactionLayer.Event, at now: Instant) {
        switch event {
        case .request(let request, let transaction, let flow):
            receive(request, in: transaction, over: flow, at: now)
        case .cancelled(let invite, let cancel, let request):
            transactions.respond(request.response(200, toTag: "\(settings.name)-cancel"), in: cancel, at: now)
            cancelBranches(of: invite, at: now)
        case .acknowledgement(let request, let flow):
            forwardAcknowledgement(request, over: flow)
        case .response(let response, let transaction, _):
            receive(response, in: transaction, at: now)
        case .strayResponse(let response, _):
            forwardStray(response)
        case .timedOut(let transaction):
            branchFailed(transaction, 408, at: now)
        case .transportFailed(.client(let transaction)):
            branchFailed(transaction, 503, at: now)
        case .terminated(.client(let transaction)):
            contextOfBranch[transaction] = nil
        case .terminated(.server(let transaction)):
            contexts[transaction] = nil
            deadlines.cancel(transaction)
        case .transportFailed(.server), .acknowledgementTimedOut:
            break
        }
    }

    private mutating func receive(
        _ original: Request, in transaction: ServerTransactionID, over flow: Flow, at now: Instant
    ) {
        var request = original
        if let outage, now < outage.until {
            var response = request.response(503, toTag: settings.name)
            if outage.retryAfter > 0 { response.headers.append(RetryAfter(outage.retryAfter)) }
            return transactions.respond(response, in: transaction, at: now)
        }
        if request.method == .cancel {
            return transactions.respond(request.response(481, toTag: settings.name), in: transaction, at: now)
        }
        if let refusal = refusal(of: request, at: now) {
            return transactions.respond(refusal, in: transaction, at: now)
        }
        if request.method == .register, isForUs(request.uri) {
            guard let user = request.to.uri.sipURI?.user else {
                return transactions.respond(request.response(404, toTag: settings.name), in: transaction, at: now)
            }
            var response = registrar.register(request, of: user, over: flow, at: now)
            agent.learn(registrar.bindings(of: user, at: now).map(\.contact), of: user, at: now)
            response.to.tag = settings.name
            return transactions.respond(response, in: transaction, at: now)
        }
        if isForAgent(request) {
            return transactions.respond(answerOfAgent(to: request, over: flow, at: now), in: transaction, at: now)
        }
        let named = takeOwnRoutes(from: &request, sentOver: flow)
        let targets = targets(of: request, flowOfRoute: named, at: now)
        guard !targets.isEmpty else {
            return transactions.respond(request.response(480, toTag: settings.name), in: transaction, at: now)
        }
        var context = ResponseContext(request: request)
        for target in targets { context.branches.append(forward(request, to: target, from: flow, at: now)) }
        for branch in context.branches { contextOfBranch[branch.transaction] = transaction }
        contexts[transaction] = context
        if request.method == .invite { deadlines.set(transaction, at: now + ResponseContext.timerC) }
    }

    /// What a request is refused with before anybody is asked (§16.3), or nil.
    private mutating func refusal(of request: Request, at now: Instant) -> Response? {
        if request.maxForwards == 0 { return request.response(483, toTag: settings.name) }
        if request.headers.contains(.proxyRequire) {
            var response = request.response(420, toTag: settings.name)
            try? response.headers.append(.unsupported, request.headers.values(.proxyRequire).joined(separator: ", "))
            return response
        }
        if request.method == .register {
            guard isForUs(request.uri) else { return nil }
            let shown = ((try? request.headers.all(Authorization.self)) ?? []).map(\.parameters)
            guard case .challenge(let isStale) = guardian.judge(shown, of: request.method) else { return nil }
            var response = request.response(401, toTag: settings.name)
            response.headers.append(WWWAuthenticate(parameters: guardian.challenge(isStale: isStale)))
            return response
        }
        // Only those who claim to be ours are asked to prove it, and CANCEL can't be (§22.1).
        guard settings.challengesCalls, request.to.tag == nil, request.method != .cancel,
            request.from.uri.sipURI?.host == .name(settings.domain)
        else { return nil }
        let shown = ((try? request.headers.all(ProxyAuthorization.self)) ?? []).map(\.parameters)
        guard case .challenge(let isStale) = guardian.judge(shown, of: request.method) else { return nil }
        // Where another proxy of this domain's user sent it here there is nobody to ask.
        guard request.vias.count == 1 else { return nil }
        var response = request.response(407, toTag: settings.name)
        response.headers.append(ProxyAuthenticate(parameters: guardian.challenge(isStale: isStale)))
        return response
    }

    func isForUs(_ uri: URI) -> Bool {
        guard let uri = uri.sipURI else { return false }
        return uri.host == .name(settings.domain) || (isOurs(.sip(uri)) && flow(named: uri.user) == nil)
    }

    /// Takes the leading Route entries that are ours (§16.4); gives the flow that they name for the way on.
    ///
    /// Of two the second one names the way on, as each side's own entry comes first. One alone is the sender's own where
    /// it names the flow that the request came by (RFC 5626 §5.3).
    private mutating func takeOwnRoutes(from request: inout Request, sentOver flow: Flow) -> Flow? {
        var routes = ((try? request.headers.all(Route.self)) ?? []).map(\.address)
        var named: [Flow?] = []
        while let first = routes.first, isOurs(first.uri) || first.uri.sipURI?.host == .name(settings.domain) {
            named.append(self.flow(named: first.uri.sipURI?.user))
            routes.removeFirst()
        }
        request.headers.removeAll(.route)
        for route in routes { request.headers.append(Route(route)) }
        if named.count == 1, named[0]?.remote.address == flow.remote.address { return nil }
        return named.last ?? nil
    }

    /// §16.5: the next route, the flow that our own route named, our users, or whoever the Request-URI names.
    private func targets(of request: Request, flowOfRoute named: Flow?, at now: Instant) -> [Target] {
        if let next = (try? request.headers.first(Route.self))?.uri.sipURI {
            return flow(to: next).map { [Target(flow: $0)] } ?? []
        }
        if let named { return [Target(flow: named)] }
        guard let uri = request.uri.sipURI else { return [] }
        guard isForUs(.sip(uri)) else { return flow(to: uri).map { [Target(flow: $0)] } ?? [] }
        guard let user = uri.user else { return [] }
        if let group = settings.groups[user] {
            return group.flatMap { member -> [Target] in
                if member.host == .name(settings.domain) { return phones(of: member.user ?? "", at: now) }
                return flow(to: member).map { [Target(uri: .sip(member), flow: $0)] } ?? []
            }
        }
        return phones(of: user, at: now)
    }

    private func phones(of user: String, at now: Instant) -> [Target] {
        registrar.bindings(of: user, at: now).map { Target(uri: .sip($0.contact), flow: $0.flow, isOurPhone: true) }
    }

    private func flow(to uri: SIPURI) -> Flow? {
        let transport = uri.transport ?? .udp
        switch uri.host {
        case .address(let address):
            let remote = SocketAddress(address, port: uri.port ?? transport.defaultPort)
            return Flow(transport: transport, local: settings.address, remote: remote)
        case .name(let name):
            return settings.neighbours[name].map { Flow(transport: transport, local: settings.address, remote: $0) }
        }
    }

    // MARK: - Forwarding

    /// Sends a copy to a target (§16.6).
    private mutating func forward(
        _ request: Request, to target: Target, from flow: Flow, at now: Instant
    ) -> ResponseContext.Branch {
        let copy = copy(of: request, to: target, from: flow)
        return ResponseContext.Branch(transaction: transactions.send(copy, over: target.flow, at: now))
    }

    private mutating func copy(of request: Request, to target: Target, from flow: Flow) -> Request {
        var copy = request
        if let uri = target.uri { copy.uri = uri }
        copy.maxForwards = (request.maxForwards ?? 70) - 1
        if settings.recordsRoute, request.to.tag == nil, [.invite, .subscribe].contains(request.method) {
            let recorded = ((try? request.headers.all(RecordRoute.self)) ?? []).map(\.address)
            // The topmost entry is nearest to the callee; each side's entry names its own flow.
            let isFromPhone = request.vias.count == 1
            var ours: [NameAddress] = []
            if target.isOurPhone { ours.append(route(naming: target.flow)) }
            if isFromPhone || ours.isEmpty { ours.append(route(naming: isFromPhone ? flow : nil)) }
            copy.headers.removeAll(.recordRoute)
            for entry in ours + recorded { copy.headers.append(RecordRoute(entry)) }
        }
        copy.vias.insert(via(target.flow.transport), at: 0)
        return copy
    }

    /// The ACK of a 2xx is no transaction's and goes its way without state.
    private mutating func forwardAcknowledgement(_ original: Request, over flow: Flow) {
        var request = original
        guard request.maxForwards != 0 else { return }
        let named = takeOwnRoutes(from: &request, sentOver: flow)
        guard let target = targets(of: request, flowOfRoute: named, at: .zero).first,
            target.flow.remote != settings.address
        else { return }
        transmit(copy(of: request, to: target, from: flow).bytes(), over: target.flow)
    }
}
