import EngineKit
import Proofs
import SIPMessages
import SIPRuntime
import SIPUserAgent
import Testing

extension EndpointTests {
    /// TCP against a peer that sends what it likes (RFC 3261 §18.3, ROBUSTNESS S15).
    struct Streams {
        private func phone(_ adjust: (inout StreamLimits) -> Void = { _ in }) async throws -> TestPhone {
            try await TestPhone { adjust(&$0.streamLimits) }
        }

        private func connect(_ phone: TestPhone) async throws -> RawSocket {
            try RawSocket(connectingTo: await phone.address(.tcp))
        }

        /// The next `count` messages that came in.
        private func received(_ count: Int, by phone: TestPhone) async -> [String] {
            var texts: [String] = []
            for await message in phone.messages where message.direction == .received {
                texts.append(String(decoding: message.bytes, as: UTF8.self))
                if texts.count == count { break }
            }
            return texts
        }

        @Test(.proves(.row(33), .clause("RFC 3261 §18.3")))
        func aMessageMayBeSplitAtEveryOctet() async throws {
            let phone = try await phone()
            let peer = try await connect(phone)
            let message = options(padding: 3)
            let bytes = Array(message.utf8)
            for split in 1..<bytes.count {
                peer.send(bytes[..<split])
                peer.send(bytes[split...])
            }
            #expect(await received(bytes.count - 1, by: phone).allSatisfy { $0 == message })
            await phone.endpoint.shutDown()
        }

        @Test(.proves(.row(33), .clause("RFC 3261 §18.3")))
        func oneOctetAtATimeIsAMessageToo() async throws {
            let phone = try await phone()
            let peer = try await connect(phone)
            for byte in options().utf8 { peer.send([byte]) }
            #expect(peer.receive(until: "\r\n\r\n").hasPrefix("SIP/2.0 200 "))
            await phone.endpoint.shutDown()
        }

        /// As a check from a shell does it.
        @Test func whoeverSaysAllAndNoMoreIsAnswered() async throws {
            let phone = try await phone()
            for _ in 0..<50 {
                let peer = try await connect(phone)
                peer.send(options())
                peer.endOutput()
                #expect(peer.receive(until: "\r\n\r\n").hasPrefix("SIP/2.0 200 "))
                #expect(peer.isClosedByPeer())
            }
            let broken = try await connect(phone)
            broken.send(options().replacing("Content-Length: 0", with: "Content-Length: x"))
            broken.endOutput()
            #expect(broken.receive(until: "\r\n\r\n").hasPrefix("SIP/2.0 400 "))
            await phone.endpoint.shutDown()
        }

        @Test(.proves(.row(33), .clause("RFC 3261 §18.3")))
        func twoMessagesMayShareASegment() async throws {
            let phone = try await phone()
            let peer = try await connect(phone)
            peer.send("\r\n" + options(1) + options(2, padding: 10) + "\r\n\r\n" + options(3))
            #expect(await received(3, by: phone) == [options(1), options(2, padding: 10), options(3)])
            await phone.endpoint.shutDown()
        }

        @Test(.proves(.row(33), .clause("RFC 5626 §3.5.1")))
        func aPingIsAnsweredWithAPong() async throws {
            let phone = try await phone()
            let peer = try await connect(phone)
            peer.send("\r\n\r\n")
            #expect(peer.receive(until: "\r\n") == "\r\n")
            // The stream goes on behind it.
            peer.send(options())
            #expect(peer.receive(until: "\r\n\r\n").hasPrefix("SIP/2.0 200 "))
            await phone.endpoint.shutDown()
        }

        @Test(.proves(.rule(15), .row(33), .clause("RFC 3261 §7.5")))
        func manyBlankLinesArePassedOverAndFewOfThemAnswered() async throws {
            let phone = try await phone()
            let peer = try await connect(phone)
            peer.send(String(repeating: "\r\n", count: 1000) + options())
            var text = ""
            while !text.contains("SIP/2.0 200 ") {
                let read = peer.receive()
                if read.isEmpty { break }
                text += String(decoding: read, as: UTF8.self)
            }
            #expect(text.contains("SIP/2.0 200 "))
            // However the stream is cut into reads, most of the five hundred pings have no answer.
            let answered = text.prefix { $0 == "\r\n" }.count
            #expect(answered > 0 && answered < 250)
            await phone.endpoint.shutDown()
        }

        @Test(.proves(.rule(15), .incident(40)))
        func whoSaysNothingIsSentAway() async throws {
            let phone = try await phone { $0.firstMessage = .milliseconds(20) }
            #expect(try await connect(phone).isClosedByPeer())
            // Nor does a part of a message help, nor pings.
            let slow = try await connect(phone)
            slow.send("\r\n\r\nOPTIONS sip:x")
            #expect(slow.isClosedByPeer())
            await phone.endpoint.shutDown()
        }

        @Test(.proves(.rule(15), .incident(40)))
        func aMessageThatDoesNotEndIsCutOff() async throws {
            let phone = try await phone { $0.message = .milliseconds(20) }
            let peer = try await connect(phone)
            peer.send(options())
            #expect(peer.receive(until: "\r\n\r\n").hasPrefix("SIP/2.0 200 "))
            peer.send("OPTIONS sip:x")
            #expect(peer.isClosedByPeer())
            await phone.endpoint.shutDown()
        }

        @Test(.proves(.rule(15), .incident(40)))
        func silenceEndsAConnection() async throws {
            let phone = try await phone { $0.idle = .milliseconds(20) }
            let peer = try await connect(phone)
            peer.send(options())
            #expect(peer.isClosedByPeer())
            await phone.endpoint.shutDown()
        }

        @Test(.proves(.rule(15), .incident(40)))
        func oneSourceGetsSoManyConnections() async throws {
            let phone = try await phone { $0.connectionsPerSource = 2 }
            let first = try await connect(phone)
            let second = try await connect(phone)
            #expect(try await connect(phone).isClosedByPeer())
            for peer in [first, second] {
                peer.send(options())
                #expect(peer.receive(until: "\r\n\r\n").hasPrefix("SIP/2.0 200 "))
            }
            await phone.endpoint.shutDown()
        }

        @Test(.proves(.rule(15), .incident(60)))
        func aPeerThatDoesNotReadIsCutOff() async throws {
            let phone = try await phone { $0.writeHighWater = 4096 }
            let peer = try RawSocket(connectingTo: await phone.address(.tcp), receiveBuffer: 2048)
            // Each request brings an answer, until the kernel's buffers, which may grow to megabytes, are full and ours begins
            // to be.
            for number in 1...40_000 where peer.send(options(number)) < 0 { break }
            #expect(peer.isClosedByPeer())
            await phone.endpoint.shutDown()
        }

        @Test(
            .proves(.rule(15), .row(33), .incident(35), .incident(36)),
            arguments: [
                (options().replacing("Content-Length: 0\r\n", with: ""), "SIP/2.0 400 Bad Content-Length\r\n"),
                (options().replacing("Content-Length: 0", with: "Content-Length: x"), "SIP/2.0 400 "),
                (options().replacing("Content-Length: 0", with: "Content-Length: 4294967296"), "SIP/2.0 "),
                (options().replacing("Content-Length: 0", with: "Content-Length: 0\r\nl: 5"), "SIP/2.0 400 "),
                (options().replacing("Content-Length: 0", with: "Content-Length: 70000"), "SIP/2.0 413 "),
            ])
        func aRequestWithoutAnEndIsRefusedAndTheConnectionClosed(request: String, answer: String) async throws {
            let phone = try await phone()
            let peer = try await connect(phone)
            peer.send(request + options(2))
            let text = peer.receive(until: "never")
            #expect(text.hasPrefix(answer), "\(text)")
            // What came behind it was not taken for a message.
            #expect(!text.contains("CSeq: 2 "))
            await phone.endpoint.shutDown()
        }

        /// Not that the connection was closed: that was us.
        @Test(.proves(.row(33), .clause("RFC 3261 §18.3")))
        func anAnswerWithoutAnEndIsToldAsThat() async throws {
            let listener = try RawSocket(listeningAt: SocketAddress(.loopback, port: 0))
            let phone = try await phone()
            _ = try await phone.call(listener.address, over: .tcp)
            let peer = try listener.accept()
            guard case .request(let invite) = try peer.receiveMessage() else { throw TestPhone.NoSuchEvent() }
            var answer = String(decoding: invite.response(200, toTag: "raw").bytes(), as: UTF8.self)
            answer.replace("Content-Length: 0", with: "Content-Length: many")
            peer.send(answer)
            let end = try await phone.nextEnd()
            #expect(end.cause == .unreachable)
            #expect(end.reason?.hasPrefix("what it sends is no SIP message, or has no end") == true, "\(end)")
            #expect(await received(1, by: phone).first?.hasPrefix("SIP/2.0 200 OK") == true, "it is in the trace")
            await phone.endpoint.shutDown()
        }

        @Test(.proves(.rule(15), .row(33)))
        func nonsenseWithoutEndClosesTheConnection() async throws {
            let phone = try await phone()
            let peer = try await connect(phone)
            peer.send([UInt8](repeating: UInt8(ascii: "x"), count: 200_000))
            #expect(peer.isClosedByPeer())
            await phone.endpoint.shutDown()
        }
    }
}
