import EngineKit
import Proofs
import Testing

@testable import SDP

/// Where a peer may direct our media.
@Suite struct MediaTargetTests {
    enum Outcome { case sent, withheld, refused }

    static let table: [(source: String, target: String, Outcome)] = [
        ("127.0.0.1", "127.0.0.1", .sent), ("127.0.0.1", "192.168.1.7", .sent), ("127.0.0.1", "8.8.8.8", .sent),
        ("192.168.1.7", "192.168.1.8", .sent), ("192.168.1.7", "127.0.0.1", .refused),
        ("192.168.1.7", "169.254.1.1", .refused), ("169.254.1.2", "169.254.1.1", .sent),
        ("8.8.8.8", "9.9.9.9", .sent), ("8.8.8.8", "127.0.0.1", .refused), ("8.8.8.8", "::ffff:127.0.0.1", .refused),
        ("8.8.8.8", "169.254.169.254", .refused), ("8.8.8.8", "192.168.1.7", .withheld),
        ("8.8.8.8", "10.0.0.1", .withheld), ("8.8.8.8", "100.64.0.1", .withheld), ("8.8.8.8", "0.0.0.1", .refused),
        ("127.0.0.1", "224.0.0.1", .refused), ("127.0.0.1", "255.255.255.255", .refused),
        ("127.0.0.1", "0.1.2.3", .refused),
    ]

    @Test(.proves(.rule(21), .incident(71)), arguments: table)
    func isNeverNearerThanWhereSignallingCameFrom(source: String, target: String, outcome: Outcome) throws {
        var negotiation = negotiation()
        negotiation.targets = MediaTargetPolicy(signallingSource: IPAddress(source))
        let type = target.contains(":") ? "IP6" : "IP4"
        let offer = try peer("m=audio 7000 RTP/AVP 0", "c=IN \(type) \(target)")
        let address = try #require(IPAddress(target)).unmapped
        guard outcome != .refused else {
            #expect(throws: NegotiationError.forbiddenTarget(SocketAddress(address, port: 7000))) {
                try negotiation.receiveOffer(offer)
            }
            return
        }
        try negotiation.receiveOffer(offer)
        let media = try negotiation.makeAnswer(address: ourAddress).media
        let expected = SocketAddress(address, port: 7000)
        #expect(media.remoteRTP == (outcome == .sent ? expected : nil))
        #expect(media.withheldTarget == (outcome == .withheld ? expected : nil))
        #expect(media.direction == .sendReceive)
    }

    @Test(.proves(.rule(21), .incident(71)))
    func isNeverAListenerOfOurs() throws {
        let own = SocketAddress(peerAddress, port: 7000)
        var negotiation = negotiation()
        negotiation.targets = MediaTargetPolicy(signallingSource: peerAddress, ownListeners: [own])
        #expect(throws: NegotiationError.forbiddenTarget(own)) {
            try negotiation.receiveOffer(peer("m=audio 7000 RTP/AVP 0"))
        }
        try negotiation.receiveOffer(peer("m=audio 7002 RTP/AVP 0", "a=rtcp:7000"))
        #expect(try negotiation.makeAnswer(address: ourAddress).media.remoteRTCP == nil)
    }

    @Test(.proves(.rule(21), .incident(71)), arguments: [5004, 5005] as [UInt16])
    func isNeverThePortThatWeReceiveOn(port: UInt16) throws {
        var negotiation = negotiation()
        let own = SocketAddress(ourAddress, port: port)
        try negotiation.receiveOffer(peer("m=audio \(port) RTP/AVP 0", "c=IN IP4 192.0.2.9"))
        #expect(throws: NegotiationError.forbiddenTarget(own)) { try negotiation.makeAnswer(address: ourAddress) }
        negotiation.cancelOffer()
        try negotiation.receiveOffer(peer("m=audio 7000 RTP/AVP 0", "a=rtcp:\(port) IN IP4 192.0.2.9"))
        #expect(try negotiation.makeAnswer(address: ourAddress).media.remoteRTCP == nil)
    }
}
