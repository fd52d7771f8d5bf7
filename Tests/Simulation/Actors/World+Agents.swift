import EngineKit
import SIPMessages
import SIPTransactions

/// What a scripted agent waited for and did not get.
package struct Missing: Error, CustomStringConvertible {
    package let description: String
}

extension World {
    /// Lets time pass until the agent hears a message that `matches`; earlier ones are passed over.
    package mutating func expect(
        _ what: String, at agent: HostID, within limit: Duration = .seconds(5),
        where matches: (Message) -> Bool
    ) throws -> Received {
        let end = now + limit
        while true {
            while !hosts[agent.index].inbox.isEmpty {
                let received = hosts[agent.index].inbox.removeFirst()
                if matches(received.message) { return received }
            }
            guard step(until: end) || !hosts[agent.index].inbox.isEmpty else {
                throw Missing(description: "\(hosts[agent.index].name) waited for \(what) in vain:\n\(ladder)")
            }
        }
    }

    /// Lets time pass until the agent hears a request with that method.
    package mutating func expect(
        _ method: Method, at agent: HostID, within limit: Duration = .seconds(5)
    ) throws -> Request {
        let received = try expect(method.name, at: agent, within: limit) { message in
            if case .request(let request) = message { request.method == method } else { false }
        }
        guard case .request(let request) = received.message else { throw Missing(description: method.name) }
        return request
    }

    /// Lets time pass until the agent hears a response with that status, to a request with that method.
    package mutating func expect(
        _ status: StatusCode, to method: Method, at agent: HostID, within limit: Duration = .seconds(5)
    ) throws -> Response {
        let received = try expect("\(status) to \(method.name)", at: agent, within: limit) { message in
            guard case .response(let response) = message else { return false }
            return response.status == status && response.cSeq.method == method
        }
        guard case .response(let response) = received.message else { throw Missing(description: "\(status)") }
        return response
    }

    /// Lets `duration` pass and gives what the agent heard and did not read yet, summed up.
    package mutating func hear(at agent: HostID, for duration: Duration) -> [String] {
        run(for: duration)
        defer { hosts[agent.index].inbox = [] }
        return hosts[agent.index].inbox.map(\.message.summary)
    }

    /// Has the agent send a request or response to `target` over UDP.
    package mutating func say(_ request: Request, from agent: HostID, to target: HostID) {
        say(request.bytes(), from: agent, to: target)
    }

    package mutating func say(_ response: Response, from agent: HostID, to target: HostID) {
        say(response.bytes(), from: agent, to: target)
    }

    /// Has the agent send any bytes to `target`.
    package mutating func say(
        _ bytes: [UInt8], from agent: HostID, to target: HostID, over transport: Transport = .udp
    ) {
        let flow = Flow(
            transport: transport, local: hosts[agent.index].address, remote: hosts[target.index].address)
        send(Transmit(bytes: bytes, flow: flow), from: agent)
    }
}
