import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import ServerLocation
import Testing

@testable import SIPUserAgent

@Suite struct ObstacleTests {
    private static let remote = SocketAddress(.v4(0xc000_0207), port: 5062)

    @Test(
        .proves(.row(44), .incident(48)),
        arguments: [
            (TransmitFailure.refused, Transport.udp, "port unreachable (ICMP), udp 192.0.2.7:5062"),
            (.refused, .tcp, "connection refused, tcp 192.0.2.7:5062"),
            (.reset, .tcp, "connection closed, tcp 192.0.2.7:5062"),
            (.hostUnreachable, .udp, "host unreachable, udp 192.0.2.7:5062"),
            (.networkUnreachable, .udp, "network unreachable, udp 192.0.2.7:5062"),
            (.timedOut, .tcp, "connection timed out, tcp 192.0.2.7:5062"),
            (.tooLarge, .udp, "message too large, udp 192.0.2.7:5062"),
        ])
    func aRequestThatCanNotBeDeliveredSaysWhy(failure: TransmitFailure, transport: Transport, reason: String) throws {
        var core = try phone(asking: "sip:bob@192.0.2.7:5062;transport=\(transport.name.lowercased())")
        let destination = Destination(
            transport: transport, remote: Self.remote, local: SocketAddress(.v4(0xc000_0201), port: 5060))
        core.receive(.resolved(try question(&core), [destination]), at: .zero)
        let transmit = try #require(
            outputs(&core).compactMap { output -> Transmit? in
                if case .transmit(let transmit) = output { transmit } else { nil }
            }.first)
        core.receive(.transmitFailed(transmit.flow, cause: transmit.cause, failure), at: .zero)
        #expect(try answer(&core).reason == reason)
        #expect(core.occupancy == .empty)
    }

    @Test(
        .proves(.incident(48)),
        arguments: [
            (LocationFailure.noSuchName, "no such host, pbx.example"),
            (.timedOut, "the name was not resolved in time, pbx.example"),
            (.noAddress, "no address of a kind that we listen on (for IPv6: --listen '[::]:0'), pbx.example"),
            (.notOfAHost, "no host has that address, pbx.example"),
            (.notOffered, "no SIP service there, says its domain, pbx.example"),
            (.serverFailed, "the name servers have no answer, pbx.example"),
            (.overloaded, "too many names are looked for, pbx.example"),
            (.noRoute, "no route from where we listen, pbx.example"),
            (.transportUnsupported, "no udp here to reach it by, pbx.example"),
        ])
    func aNextHopWithoutAnAddressSaysWhy(failure: LocationFailure, reason: String) throws {
        var core = try phone(asking: "sip:bob@pbx.example")
        core.receive(.resolutionFailed(try question(&core), failure), at: .zero)
        #expect(try answer(&core).reason == reason)
    }

    @Test(.proves(.clause("RFC 3261 §26.2.2")), arguments: ["", ";transport=tcp", ";transport=udp"])
    func whatMustBeSecureLacksTLS(parameter: String) throws {
        var core = try phone(asking: "sips:b@pbx.example" + parameter)
        core.receive(.resolutionFailed(try question(&core), .transportUnsupported), at: .zero)
        #expect(try answer(&core).reason == "no tls here to reach it by, pbx.example")
    }

    @Test(.proves(.incident(26)))
    func aTelURIWithoutAProxySaysThatItNeedsOne() throws {
        var core = try phone(asking: "tel:+15551234")
        #expect(try answer(&core).reason == "a tel URI needs an outbound proxy")
    }

    @Test func silenceNamesWhoWasAsked() throws {
        var core = try phone(asking: "sip:bob@192.0.2.7:5062")
        let destination = Destination(
            transport: .udp, remote: Self.remote, local: SocketAddress(.v4(0xc000_0201), port: 5060))
        core.receive(.resolved(try question(&core), [destination]), at: .zero)
        while let deadline = core.deadline, core.occupancy != .empty { core.handleDeadline(at: deadline) }
        #expect(try answer(&core).reason == "timed out, udp 192.0.2.7:5062")
    }

    /// RFC 3263 §4.3: the next destination is tried, and of several that fail the last one is named.
    @Test(.proves(.row(37), .clause("RFC 3263 §4.3")))
    func theLastOfSeveralDestinationsIsNamed() throws {
        var core = try phone(asking: "sip:bob@pbx.example")
        let destinations = [UInt16(5070), 5071].map {
            Destination(
                transport: .udp, remote: SocketAddress(.v4(0xc000_0207), port: $0),
                local: SocketAddress(.v4(0xc000_0201), port: 5060))
        }
        core.receive(.resolved(try question(&core), destinations), at: .zero)
        for (destination, failure) in zip(destinations, [TransmitFailure.refused, .hostUnreachable]) {
            let flow = Flow(transport: .udp, local: destination.local, remote: destination.remote)
            core.receive(.transmitFailed(flow, cause: nil, failure), at: .zero)
        }
        #expect(try answer(&core).reason == "host unreachable, udp 192.0.2.7:5071")
    }

    // MARK: - A phone that asks for capabilities

    private func phone(asking target: String) throws -> UserAgentCore {
        var core = UserAgentCore(
            configuration: UserAgentConfiguration(
                accounts: [.anonymousPeerToPeer()], capabilities: World.media), random: RandomSource(seed: 1))
        core.perform(
            .request(RequestHandle(rawValue: 1), OutgoingRequest(.options, to: .address(try URI(parsing: target)))),
            at: .zero)
        return core
    }

    private func outputs(_ core: inout UserAgentCore) -> [Output] {
        var outputs: [Output] = []
        while let output = core.nextOutput() { outputs.append(output) }
        return outputs
    }

    private func question(_ core: inout UserAgentCore) throws -> ResolveID {
        try #require(
            outputs(&core).compactMap { output -> ResolveID? in
                if case .resolve(let id, _) = output { id } else { nil }
            }.first)
    }

    private func answer(_ core: inout UserAgentCore) throws -> RequestAnswer {
        try #require(
            outputs(&core).compactMap { output -> RequestAnswer? in
                if case .event(.requestAnswered(_, let answer)) = output { answer } else { nil }
            }.first)
    }
}
