import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

@Suite struct BasicCallTests {
    @Test(.proves(.clause("RFC 3261 §13"), .clause("RFC 3261 §15")))
    func callsRingsAnswersAndHangsUp() throws {
        var world = aliceAndBob()
        let callee = try world.talk()
        #expect(
            world.steps() == [
                "alice>bob INVITE", "bob>alice 180 INVITE", "bob>alice 200 INVITE", "alice>bob ACK",
            ])
        #expect(world.story(of: "alice") == ["ringing", "answered", "mediaAgreed", "established"])
        #expect(world.story(of: "bob") == ["incomingCall", "answered", "mediaAgreed", "pathProven", "established"])
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .seconds(1))
        #expect(world.steps(from: 4) == ["alice>bob BYE", "bob>alice 200 BYE"])
        #expect(world.ends(at: "alice") == [CallEnd(cause: .hungUp, by: .local)])
        #expect(world.ends(at: "bob") == [CallEnd(cause: .hungUp, by: .remote)])
        world.perform(.hangUp(callee), by: "bob")
        #expect(world.steps(from: 6).isEmpty)
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test(.proves(.clause("RFC 3264 §6.1")))
    func bothSidesAgreeOnMedia() throws {
        var world = aliceAndBob()
        _ = try world.talk()
        let alice = try #require(world.agreements(at: "alice").first)
        let bob = try #require(world.agreements(at: "bob").first)
        #expect(alice.media.sendFormat.codec == .opus)
        #expect(alice.media.remoteRTP == SocketAddress("192.0.2.2:16384"))
        #expect(bob.media.remoteRTP == SocketAddress("192.0.2.1:16384"))
        #expect(alice.mayTransmit && bob.mayTransmit)
        #expect(bob.signallingPeer == SocketAddress("192.0.2.1:5060"))
    }

    @Test(.proves(.clause("RFC 3261 §17.2.1")))
    func sendsTryingWhenNobodyRingsFor200Milliseconds() throws {
        var world = aliceAndBob()
        world.perform(
            .call(caller, OutgoingCall(target: try target("sip:bob@192.0.2.2"), media: World.media)), by: "alice")
        world.run(for: .milliseconds(300))
        #expect(world.steps() == ["alice>bob INVITE", "bob>alice 100 INVITE"])
        #expect(world.story(of: "alice") == ["trying"])
    }

    @Test func calleeHangsUp() throws {
        var world = aliceAndBob()
        let callee = try world.talk()
        world.perform(.hangUp(callee), by: "bob")
        world.run(for: .seconds(1))
        #expect(world.steps(from: 4) == ["bob>alice BYE", "alice>bob 200 BYE"])
        #expect(world.ends(at: "alice") == [CallEnd(cause: .hungUp, by: .remote)])
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test func rejectionReachesTheCallerWithItsReason() throws {
        var world = aliceAndBob()
        let callee = try world.dial()
        var headers = Headers()
        headers.set(RetryAfter(30))
        world.perform(.reject(callee, 486, reason: "In a Meeting", headers: headers), by: "bob")
        world.run(for: .seconds(1))
        #expect(world.steps(from: 2) == ["bob>alice 486 INVITE", "alice>bob ACK"])
        #expect(
            world.ends(at: "alice") == [
                CallEnd(cause: .refused, by: .remote, status: 486, reason: "In a Meeting", retryAfter: 30)
            ])
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test(.proves(.clause("RFC 3261 §9.1")))
    func callerGivesUpRinging() throws {
        var world = aliceAndBob()
        _ = try world.dial()
        world.perform(.hangUp(caller), by: "alice")
        world.run(for: .seconds(1))
        #expect(
            world.steps(from: 2) == [
                "alice>bob CANCEL", "bob>alice 200 CANCEL", "bob>alice 487 INVITE", "alice>bob ACK",
            ])
        #expect(world.ends(at: "alice") == [CallEnd(cause: .cancelled, by: .local)])
        #expect(world.ends(at: "bob") == [CallEnd(cause: .cancelled, by: .remote)])
        world.run(for: .seconds(100))
        #expect(world.cores["alice"]?.occupancy == .empty)
        #expect(world.cores["bob"]?.occupancy == .empty)
    }

    @Test(.proves(.clause("RFC 3261 §9.1")))
    func ringTimeoutCancels() throws {
        var world = aliceAndBob()
        _ = try world.dial(
            OutgoingCall(target: target("sip:bob@192.0.2.2"), media: World.media, ringTimeout: .seconds(20)))
        world.run(for: .seconds(25))
        #expect(world.ends(at: "alice") == [CallEnd(cause: .ringTimeout, by: .local)])
        #expect(world.ends(at: "bob") == [CallEnd(cause: .cancelled, by: .remote)])
    }

    @Test(.proves(.row(17), .clause("RFC 3261 §17.1.1.2")))
    func nobodyThereEndsAfter64T1() throws {
        var world = World()
        world.add("alice", at: "192.0.2.1")
        world.perform(
            .call(caller, OutgoingCall(target: try target("sip:bob@192.0.2.9"), media: World.media)), by: "alice")
        world.run(for: .milliseconds(31_999))
        #expect(world.ends(at: "alice").isEmpty)
        world.run(for: .milliseconds(1))
        let end = CallEnd(cause: .timedOut, by: .local, reason: "timed out, udp 192.0.2.9:5060")
        #expect(world.ends(at: "alice") == [end])
        #expect(world.count("alice>? INVITE") == 7)
    }

    @Test func unknownHostIsUnreachable() throws {
        var world = World()
        world.add("alice", at: "192.0.2.1")
        world.perform(
            .call(caller, OutgoingCall(target: try target("sip:bob@nowhere.example"), media: World.media)),
            by: "alice")
        let end = CallEnd(cause: .unreachable, by: .local, reason: "no such host, nowhere.example")
        #expect(world.ends(at: "alice") == [end])
    }
}
