import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

@testable import SIPRuntime

extension SIPEndpoint {
    fileprivate func closeConnections() {
        for id in channels.keys { close(id) }
    }
}

extension EndpointTests {
    /// What breaks under a running endpoint.
    struct Recovery {
        /// RFC 3261 §18.2.2: the response goes to where the Via says that the sender listens.
        @Test(.proves(.row(35), .clause("RFC 3261 §18.2.2")))
        func aResponseWhoseConnectionIsGoneOpensAnother() async throws {
            let phone = try await TestPhone()
            let listener = try RawSocket(listeningAt: SocketAddress(.loopback, port: 0))
            var caller: RawSocket? = try RawSocket(connectingTo: await phone.address(.tcp))
            caller?.send(
                "INVITE sip:bob@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP \(listener.address);branch=z9hG4bKgone\r\n"
                    + "Max-Forwards: 70\r\nFrom: <sip:raw@127.0.0.1>;tag=raw\r\nTo: <sip:bob@127.0.0.1>\r\n"
                    + "Call-ID: gone@127.0.0.1\r\nCSeq: 1 INVITE\r\nContact: <sip:raw@\(listener.address);transport=tcp>\r\n"
                    + "Content-Length: 0\r\n\r\n")
            let handle = try await phone.next { if case .incomingCall(let handle, _) = $0 { handle } else { nil } }
            caller = nil
            // The end of the first connection is noticed before the request on a second one is answered.
            let other = try RawSocket(connectingTo: await phone.address(.tcp))
            other.send(options())
            #expect(other.receive(until: "\r\n\r\n").hasPrefix("SIP/2.0 200 "))
            await phone.endpoint.perform(.reject(handle, 486))
            // A 100 may have gone before it.
            let answers = try listener.accept()
            var text = answers.receive(until: "\r\n\r\n")
            if text.hasPrefix("SIP/2.0 100 "), !text.contains("486") { text += answers.receive(until: "\r\n\r\n") }
            #expect(text.contains("SIP/2.0 486 "))
            await phone.endpoint.shutDown()
        }

        @Test(.proves(.incident(42)))
        func aDialogWhoseConnectionIsGoneOpensAnother() async throws {
            let alice = try await TestPhone(seed: 1)
            let bob = try await TestPhone(seed: 2)
            _ = try await alice.call(bob.address(.tcp), over: .tcp)
            let call = try await bob.next { if case .incomingCall(let handle, _) = $0 { handle } else { nil } }
            await bob.endpoint.perform(.answer(call, TestPhone.calledMedia))
            try await alice.next { if case .established = $0 { () } else { nil } }
            try await bob.next { if case .established = $0 { () } else { nil } }
            await bob.endpoint.closeConnections()
            await bob.endpoint.perform(.hangUp(call))
            let end = try await alice.nextEnd()
            #expect(end.cause == .hungUp)
            #expect(end.by == .remote)
            await alice.endpoint.shutDown()
            await bob.endpoint.shutDown()
        }

        @Test(.proves(.incident(42)))
        func aRingingCallOutlivesItsConnectionAndAnUnansweredOneDoesNot() async throws {
            for rings in [true, false] {
                let alice = try await TestPhone()
                let listener = try RawSocket(listeningAt: SocketAddress(.loopback, port: 0))
                let call = try await alice.call(listener.address, over: .tcp)
                var connection: RawSocket? = try listener.accept()
                guard case .request(let invite)? = try connection?.receiveMessage() else { throw RawSocket.Silence() }
                if rings {
                    connection?.send(invite.response(180, toTag: "raw").bytes())
                    try await alice.next { if case .ringing(call, _) = $0 { () } else { nil } }
                }
                connection = nil
                if rings {
                    // The final response comes over a connection of the peer's own (RFC 3261 §18.2.2).
                    let other = try RawSocket(connectingTo: await alice.address(.tcp))
                    other.send(options())
                    #expect(other.receive(until: "\r\n\r\n").hasPrefix("SIP/2.0 200 "))
                    other.send(invite.response(486, toTag: "raw").bytes())
                }
                let end = try await alice.nextEnd()
                #expect(end.status == (rings ? 486 : nil))
                #expect(end.cause == (rings ? .refused : .unreachable))
                await alice.endpoint.shutDown()
            }
        }

        @Test(.proves(.row(34), .clause("RFC 3261 §18.1.1")))
        func aRequestTooLargeForADatagramGoesOverTCPAndOverUDPWhereThatFails() async throws {
            let alice = try await TestPhone(seed: 1)
            let both = try await TestPhone(seed: 2)
            let datagramsOnly = try await TestPhone(
                listen: [ListenAddress(SocketAddress(.loopback, port: 0), transports: [.udp])], seed: 3)
            for (peer, transport) in [(both, Transport.tcp), (datagramsOnly, .udp)] {
                var query = OutgoingRequest(
                    .options, to: .address(try URI(parsing: "sip:x@\(try await peer.address(.udp))")))
                try query.headers.append(.subject, String(repeating: "long ", count: 300))
                await alice.endpoint.perform(.request(RequestHandle(rawValue: 1), query))
                let answer = try await alice.next {
                    if case .requestAnswered(_, let answer) = $0 { answer } else { nil }
                }
                #expect(answer.status == 200)
                #expect(answer.flow?.transport == transport)
            }
            for phone in [alice, both, datagramsOnly] { await phone.endpoint.shutDown() }
        }
    }
}
