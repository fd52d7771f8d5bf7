import EngineKit
import SIPUserAgent

/// What a change of network does to sockets; the rest the core decides.
extension SIPEndpoint {
    func watchNetwork() {
        let watch = NetworkWatch(on: thread) { [weak self] news in
            self?.assumeIsolated { $0.receive(news) }
        }
        if watch.start() { networkWatch = watch }
    }

    private func receive(_ news: NetworkWatch.News) {
        guard !isShutDown else { return }
        switch news {
        case .moved(let place):
            // What was opened from an address that is gone hears nothing any more, and would be used again.
            for flow in connections.flows where !place.addresses.contains(flow.local.address.unmapped) {
                if let id = flow.connection { close(id) }
            }
            receive(.localAddressesChanged)
        case .slept(let duration):
            receive(.resumed(after: duration))
        }
    }
}
