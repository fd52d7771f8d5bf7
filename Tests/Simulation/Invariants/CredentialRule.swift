import EngineKit
import SIPMessages
import SIPTransactions
import SIPUserAgent

/// I12: credentials leave only towards the registrar and the proxies of the phone's accounts.
struct CredentialRule {
    private var names: Set<Host> = []
    private var addresses: Set<IPAddress> = []

    init(accounts: [Account] = []) {
        for uri in accounts.flatMap({ [$0.registrar, $0.outboundProxy] }) {
            guard let host = uri?.sipURI?.host else { continue }
            names.insert(host)
            if let address = host.address { addresses.insert(address) }
        }
    }

    /// The phone was told where a host is.
    mutating func found(_ host: Host, at places: [IPAddress]) {
        if names.contains(host) { addresses.formUnion(places) }
    }

    func sent(_ traffic: Traffic, _ findings: inout Findings) {
        guard let request = traffic.request,
            request.headers.contains(.authorization) || request.headers.contains(.proxyAuthorization),
            !addresses.contains(traffic.flow.remote.address)
        else { return }
        findings.add(.credentialsGoHome, "\(request.method) with credentials to \(traffic.flow.remote)")
    }
}
