import EngineKit
import Proofs
import SIPMessages
import SIPRuntime
import SIPTransactions
import SIPUserAgent
import Synchronization
import Testing

extension EndpointTests {
    /// Two endpoints of one process over real sockets.
    struct Calls {
        @Test(arguments: [Transport.udp, .tcp])
        func callEachOtherToTheEnd(over transport: Transport) async throws {
            let alice = try await TestPhone(seed: 1)
            let bob = try await TestPhone(seed: 2)
            let call = try await alice.call(bob.address(transport), over: transport)

            let (incoming, offer) = try await bob.next {
                if case .incomingCall(let handle, let incoming) = $0 { (handle, incoming) } else { nil }
            }
            #expect(offer.flow.transport == transport)
            #expect(offer.flow.local == (try await bob.address(transport)))
            #expect((offer.flow.connection != nil) == (transport == .tcp))
            await bob.endpoint.perform(.ring(incoming))
            let progress = try await alice.next { if case .ringing(call, let progress) = $0 { progress } else { nil } }
            #expect(progress.status == 180)
            await bob.endpoint.perform(.answer(incoming, TestPhone.calledMedia))
            try await alice.next { if case .established(call) = $0 { () } else { nil } }
            try await bob.next { if case .established(incoming) = $0 { () } else { nil } }
            // The one who was called hangs up: an in-dialog request the other way, over the same connection.
            await bob.endpoint.perform(.hangUp(incoming))
            let end = try await alice.nextEnd()
            #expect(end.cause == .hungUp)
            #expect(end.by == .remote)
            #expect(try await bob.nextEnd().by == .local)
            await alice.endpoint.shutDown()
            await bob.endpoint.shutDown()
        }

        @Test func tracesEachMessageOnceOnEachSide() async throws {
            let alice = try await TestPhone(seed: 1)
            let bob = try await TestPhone(seed: 2)
            let call = try await alice.call(bob.address(.udp), over: .udp)
            let incoming = try await bob.next { if case .incomingCall(let handle, _) = $0 { handle } else { nil } }
            await bob.endpoint.perform(.reject(incoming, 486))
            let end = try await alice.nextEnd()
            #expect(end.status == 486)
            try await bob.next { if case .ended(incoming, _) = $0 { () } else { nil } }
            _ = call
            var sent: [TracedMessage] = []
            for await message in alice.messages {
                sent.append(message)
                if message.bytes.starts(with: Array("ACK ".utf8)) { break }
            }
            var received: [TracedMessage] = []
            for await message in bob.messages {
                received.append(message)
                if message.bytes.starts(with: Array("ACK ".utf8)) { break }
            }
            #expect(sent.map(\.bytes) == received.map(\.bytes))
            #expect(sent.map(\.direction) == received.map { $0.direction == .sent ? .received : .sent })
            #expect(
                zip(sent, received).allSatisfy { $0.flow.local == $1.flow.remote && $0.flow.remote == $1.flow.local })
            #expect(sent.map(\.instant) == sent.map(\.instant).sorted())
            await alice.endpoint.shutDown()
            await bob.endpoint.shutDown()
        }

        @Test(arguments: [Transport.udp, .tcp])
        func endsAtOnceWhereNobodyListens(over transport: Transport) async throws {
            let alice = try await TestPhone()
            // Had a moment ago by a socket of each kind, and free again.
            let closed = try RawSocket(datagramsAt: .loopback).address
            _ = try await alice.call(closed, over: transport)
            let end = try await alice.nextEnd()
            #expect(end.cause == .unreachable)
            let why = transport == .udp ? "port unreachable (ICMP)" : "connection refused"
            #expect(end.reason == "\(why), \(transport.name.lowercased()) \(closed)")
            await alice.endpoint.shutDown()
        }

        @Test(.proves(.row(44)))
        func goesOnAfterManyNewsOfUnreachablePeers() async throws {
            let alice = try await TestPhone(seed: 1)
            let bob = try await TestPhone(seed: 2)
            for round: UInt32 in 1...20 {
                let closed = try RawSocket(datagramsAt: .loopback).address
                let target = try URI(parsing: "sip:x@\(closed)")
                await alice.endpoint.perform(
                    .request(RequestHandle(rawValue: round), OutgoingRequest(.options, to: .address(target))))
                let answer = try await alice.next {
                    if case .requestAnswered(_, let answer) = $0 { answer } else { nil }
                }
                #expect(answer.status == nil)
            }
            let target = try URI(parsing: "sip:x@\(try await bob.address(.udp))")
            await alice.endpoint.perform(
                .request(RequestHandle(rawValue: 99), OutgoingRequest(.options, to: .address(target))))
            let answer = try await alice.next { if case .requestAnswered(_, let answer) = $0 { answer } else { nil } }
            #expect(answer.status == 200)
            await alice.endpoint.shutDown()
            await bob.endpoint.shutDown()
        }

        @Test func resolvesNames() async throws {
            let alice = try await TestPhone(seed: 1)
            let bob = try await TestPhone(seed: 2)
            let port = try await bob.address(.udp).port
            let known = try URI(parsing: "sip:x@localhost:\(port)")
            await alice.endpoint.perform(
                .request(RequestHandle(rawValue: 1), OutgoingRequest(.options, to: .address(known))))
            let answer = try await alice.next { if case .requestAnswered(_, let answer) = $0 { answer } else { nil } }
            #expect(answer.status == 200)
            // No label is longer than 63 octets, so no server is asked.
            let unknown = try URI(parsing: "sip:x@\(String(repeating: "a", count: 64)).example:\(port)")
            await alice.endpoint.perform(
                .request(RequestHandle(rawValue: 2), OutgoingRequest(.options, to: .address(unknown))))
            let failure = try await alice.next { if case .requestAnswered(_, let answer) = $0 { answer } else { nil } }
            #expect(failure.status == nil)
            await alice.endpoint.shutDown()
            await bob.endpoint.shutDown()
        }

        @Test(arguments: [false, true])
        func tellsNothingOnceItsSocketsAreClosed(isClosed: Bool) async throws {
            let finished = Mutex(0)
            let alice = try await TestPhone { configuration in
                configuration.onEvent = { if case .shutDownFinished = $0 { finished.withLock { $0 += 1 } } }
            }
            if isClosed { await alice.endpoint.shutDown() }
            // With nothing to end, an endpoint that is alive has finished before this returns.
            await alice.endpoint.perform(.shutDown)
            #expect(finished.withLock { $0 } == (isClosed ? 0 : 1))
            await alice.endpoint.shutDown()
        }
    }
}
