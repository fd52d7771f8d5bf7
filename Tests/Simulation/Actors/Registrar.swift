import EngineKit
import SIPMessages
import SIPTransactions

/// The bindings of a domain, RFC 3261 §10.3: what REGISTER changes and calls are routed by.
struct Registrar: Sendable {
    /// Where a user is reached.
    struct Binding: Sendable {
        let contact: SIPURI
        let callID: String
        let sequence: UInt32
        let expiresAt: Instant
        /// The way that the REGISTER came, which leads back through a NAT (RFC 5626 §5).
        let flow: Flow
    }

    /// Shorter lifetimes are refused with 423, in seconds.
    let minimumExpires: UInt32
    let maximumExpires: UInt32
    private var bindings: [String: [Binding]] = [:]

    init(minimumExpires: UInt32, maximumExpires: UInt32) {
        self.minimumExpires = minimumExpires
        self.maximumExpires = maximumExpires
    }

    func bindings(of user: String, at now: Instant) -> [Binding] {
        (bindings[user] ?? []).filter { $0.expiresAt > now }
    }

    /// After a restart nobody is registered.
    mutating func forget() {
        bindings = [:]
    }

    /// Steps 5 to 8 of §10.3, for a request whose sender may change the bindings of `user`.
    mutating func register(_ request: Request, of user: String, over flow: Flow, at now: Instant) -> Response {
        guard let contacts = try? request.headers.all(Contact.self) else { return request.response(400) }
        let field = (try? request.headers.first(Expires.self))?.seconds
        if contacts.contains(.star) {
            guard contacts.count == 1, field == 0 else { return request.response(400) }
            bindings[user] = []
            return accepted(request, of: user, at: now)
        }
        var kept = bindings(of: user, at: now)
        for contact in contacts {
            guard let uri = contact.uri?.sipURI else { return request.response(400) }
            let wished = contact.expires ?? field ?? 3600
            if wished > 0, wished < minimumExpires {
                var response = request.response(423)
                response.headers.append(MinExpires(minimumExpires))
                return response
            }
            if let known = kept.first(where: { $0.contact.isEquivalent(to: uri) }),
                known.callID == request.callID, request.cSeq.number <= known.sequence
            {
                return request.response(500)
            }
            kept.removeAll { $0.contact.isEquivalent(to: uri) }
            guard wished > 0 else { continue }
            let granted = min(wished, maximumExpires)
            kept.append(
                Binding(
                    contact: uri, callID: request.callID, sequence: request.cSeq.number,
                    expiresAt: now + .seconds(Int64(granted)), flow: flow))
        }
        bindings[user] = kept
        return accepted(request, of: user, at: now)
    }

    private func accepted(_ request: Request, of user: String, at now: Instant) -> Response {
        var response = request.response(200)
        for binding in bindings(of: user, at: now) {
            let left = (binding.expiresAt - now).saturatedNanoseconds / 1_000_000_000
            response.headers.append(Contact(binding.contact, parameters: Parameters(.field, [("expires", "\(left)")])))
        }
        return response
    }
}
