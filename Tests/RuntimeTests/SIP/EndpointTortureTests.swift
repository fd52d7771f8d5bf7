import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Synchronization
import Testing

@testable import SIPRuntime

extension EndpointTests {
    /// The messages of RFC 4475 and RFC 5118 at a phone that anybody reaches, over UDP and over TCP: what comes back,
    /// and whether the phone goes on.
    @Suite(.enabled(if: Corpora.arePresent, "\(Corpora.absence)"))
    struct Torture {
        @Test(.proves(.clause("RFC 4475 §3"), .incident(28)), arguments: [Transport.udp, .tcp])
        func everyMessageOfRFC4475GetsWhatItIsOwed(_ transport: Transport) async throws {
            let rows = Corpora.index("rfc4475").filter { $0["validity"] != "unlisted" }
            #expect(rows.count == 49)
            let differences = try await differences(
                of: rows, in: "rfc4475", from: TortureOutcome.ofRFC4475, over: transport)
            #expect(differences == [])
        }

        @Test(.proves(.clause("RFC 5118 §4")), arguments: [Transport.udp, .tcp])
        func everyMessageOfRFC5118GetsWhatItIsOwed(_ transport: Transport) async throws {
            let all = Corpora.index("rfc5118")
            let corrected = Set(all.compactMap { $0["name"] }.filter { $0.hasSuffix(".clfixed") })
            let rows = all.filter { !corrected.contains("\($0["name"] ?? "").clfixed") }
            #expect(rows.count == 12)
            let differences = try await differences(
                of: rows, in: "rfc5118", from: TortureOutcome.ofRFC5118, over: transport)
            #expect(differences == [])
        }

        private func differences(
            of rows: [[String: String]], in group: String, from outcomes: [TortureOutcome], over transport: Transport
        ) async throws -> [String] {
            var differences: [String] = []
            let hasIPv6 = DatagramSocket.localAddress(towards: SocketAddress(.loopbackV6, port: 9)) != nil
            for row in rows {
                let name = try #require(row["name"])
                let bytes = try #require(Corpora.bytes("\(group)/\(name).dat"))
                let seen = try await outcome(of: bytes, over: transport)
                guard let outcome = outcomes.first(where: { $0.name == name }) else {
                    differences.append("\(name): \(seen), and nobody says what is right")
                    continue
                }
                let isReached = hasIPv6 || !outcome.answersByIPv6
                let expected = isReached ? transport == .udp ? outcome.udp : outcome.tcp : "400"
                if seen != expected { differences.append("\(name): \(seen), not \(expected)") }
                let allowed = try #require(row["expected_ua"]).split(separator: "|").map(String.init)
                let isRegister = bytes.starts(with: Array("REGISTER".utf8))
                if !outcome.isWithin(allowed, isRegister: isRegister) {
                    differences.append("\(name): \(outcome.udp) is not one of \(allowed)")
                }
            }
            return differences
        }

        /// What the phone says to one message, in order: statuses, `rings` where a call is told of and 180 goes out,
        /// `closed` where the connection ends; `silence` is that the next request is answered and nothing came before.
        private func outcome(of bytes: [UInt8], over transport: Transport) async throws -> String {
            let calls = IncomingCalls()
            let listen = [
                ListenAddress(SocketAddress(.loopback, port: 0)),
                ListenAddress(SocketAddress(.loopbackV6, port: 0), mayBeMissing: true),
            ]
            let phone = try await TestPhone(listen: listen) { configuration in
                var account = Account.anonymousPeerToPeer()
                account.takesMessages = true
                configuration.userAgent.accounts = [account]
                // A body that never comes is given up soon.
                configuration.streamLimits.message = .milliseconds(500)
                configuration.onEvent = { event in
                    if case .incomingCall(let handle, _) = event { calls.append(handle) }
                }
            }
            var seen =
                transport == .udp
                ? try await outcomeOverUDP(of: bytes, at: phone, calls)
                : try await outcomeOverTCP(of: bytes, at: phone, calls)
            await phone.endpoint.shutDown()
            if seen.isEmpty { seen = ["silence"] }
            return seen.joined(separator: ", ")
        }

        private func outcomeOverUDP(
            of bytes: [UInt8], at phone: TestPhone, _ calls: IncomingCalls
        ) async throws -> [String] {
            let peer = try RawSocket(datagramsAt: .loopback)
            let address = try await phone.address(.udp)
            peer.send(bytes, to: address)
            peer.send(options(99, via: "SIP/2.0/UDP 127.0.0.1:9"), to: address)
            // Answers go to the port that the Via names, which is nobody's here: the phone says what it sent.
            var messages = phone.messages.makeAsyncIterator()
            func answers(upTo end: String) async throws -> [String] {
                var statuses: [String] = []
                while let message = await messages.next() {
                    guard message.direction == .sent else { continue }
                    let text = String(decoding: message.bytes, as: UTF8.self)
                    #expect(message.flow.remote.address == .loopback, "an answer that goes elsewhere")
                    if text.contains(end) { break }
                    statuses.append(Self.status(of: text))
                }
                return statuses
            }
            var seen = try await answers(upTo: "Call-ID: raw99@")
            for handle in calls.all {
                await phone.endpoint.perform(.ring(handle))
                seen += try await answers(upTo: "SIP/2.0 180") + ["rings"]
            }
            return seen
        }

        private func outcomeOverTCP(
            of bytes: [UInt8], at phone: TestPhone, _ calls: IncomingCalls
        ) async throws -> [String] {
            let peer = try RawSocket(connectingTo: await phone.address(.tcp))
            peer.send(bytes + Array(options(99).utf8))
            var framer = StreamFramer()
            /// What comes up to `end`, which need not come; `closed` is the end of it.
            func answers(upTo end: String) throws -> [String] {
                var statuses: [String] = []
                while true {
                    while case .message(let answer)? = try framer.next() {
                        let text = String(decoding: answer, as: UTF8.self)
                        if text.contains(end) { return statuses }
                        statuses.append(Self.status(of: text))
                    }
                    let octets = peer.receive()
                    if octets.isEmpty { return statuses + ["closed"] }
                    framer.append(octets)
                }
            }
            var seen = try answers(upTo: "Call-ID: raw99@")
            for handle in calls.all {
                await phone.endpoint.perform(.ring(handle))
                seen += try answers(upTo: "SIP/2.0 180") + ["rings"]
            }
            return seen
        }

        private static func status(of answer: String) -> String { String(answer.dropFirst(8).prefix(3)) }
    }

    /// The calls that came in, noted where the endpoint tells of them.
    private final class IncomingCalls: Sendable {
        private let handles = Mutex<[CallHandle]>([])

        var all: [CallHandle] { handles.withLock { $0 } }

        func append(_ handle: CallHandle) { handles.withLock { $0.append(handle) } }
    }
}
