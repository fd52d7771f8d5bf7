import EngineKit
import SIPMessages
import SIPTransactions

/// The state agent of the domain, beside the proxy.
extension Proxy {
    /// Whether a request asks for what the domain itself knows.
    func isForAgent(_ request: Request) -> Bool {
        switch request.method {
        case .subscribe:
            if agent.knows(request.to.tag) || (isOurs(request.uri) && request.uri.sipURI?.user == "state") {
                return true
            }
            let package = (try? request.headers.first(EventPackage.self))?.package
            return request.to.tag == nil && package.map(StateAgent.tells) == true && isForUs(request.uri)
        case .publish: return isForUs(request.uri)
        default: return false
        }
    }

    mutating func answerOfAgent(to request: Request, over flow: Flow, at now: Instant) -> Response {
        var response =
            request.method == .publish
            ? agent.publish(request, of: request.uri.sipURI?.user ?? "", at: now)
            : agent.subscribe(request, over: flow, at: now)
        if response.to.tag == nil { response.to.tag = settings.name }
        return response
    }

    mutating func sendNotices(at now: Instant) {
        for notice in agent.takeDue() {
            var request = notice.request
            request.vias = [via(notice.flow.transport)]
            notices[transactions.send(request, over: notice.flow, at: now)] = notice.subscriber
        }
    }

    /// - Returns: whether the transaction was that of a NOTIFY.
    mutating func noticeEnded(_ transaction: ClientTransactionID, isTaken: Bool) -> Bool {
        guard let subscriber = notices.removeValue(forKey: transaction) else { return false }
        agent.notified(subscriber, isTaken: isTaken)
        return true
    }
}
