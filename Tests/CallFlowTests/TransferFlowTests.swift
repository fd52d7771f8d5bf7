import EngineKit
import SDP
import SIPMessages
import SIPUserAgent
import Simulation
import Testing

/// The flows of RFC 5589: three phones, and one of them puts the other two together.
@Suite struct TransferFlowTests {
    private static let carol = IPAddress.v4(0xc000_0205)

    /// Alice in a call with Bob; Carol's phone answers after a second, as Bob's does.
    private func scene(
        _ configure: (inout UserAgentConfiguration) -> Void = { _ in }
    ) -> (
        world: World, alice: HostID, bob: HostID, carol: HostID, handle: CallHandle
    ) {
        var (world, alice, bob) = World.twoPhones(configure: configure)
        let carol = world.addPhone(
            "Carol", at: Self.carol, behaviour: .answersAfterOneSecond, configure: configure)
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        world.run(for: .seconds(2))
        return (world, alice, bob, carol, handle)
    }

    private func accept(_ world: inout World, at bob: HostID) {
        let accept = Command.acceptTransfer(
            world.incomingCalls(at: bob)[0], as: CallHandle(rawValue: 9), World.media())
        world.perform(accept, at: bob)
    }

    /// The same, and Alice has asked Bob to call Carol, and Bob has begun to.
    private func transferring() -> (world: World, alice: HostID, bob: HostID, carol: HostID, handle: CallHandle) {
        var (world, alice, bob, carol, handle) = scene()
        world.perform(.transfer(handle, .blind(world.uri(of: carol, user: "carol"))), at: alice)
        world.run(for: .milliseconds(50))
        accept(&world, at: bob)
        return (world, alice, bob, carol, handle)
    }

    /// The ladder behind the first `count` lines.
    private func rest(_ world: World, after count: Int) -> String {
        world.ladder.lines.dropFirst(count).joined(separator: "\n")
    }

    @Test func blindTransfer() {
        var (world, alice, bob, carol, _) = transferring()
        world.run(for: .seconds(2))
        #expect(
            rest(world, after: 4) == """
                2.000 Alice -> Bob  REFER
                2.010 Bob -> Alice  202 REFER
                2.010 Bob -> Alice  NOTIFY +100
                2.020 Alice -> Bob  200 NOTIFY
                2.050 Bob -> Carol  INVITE +sdp
                2.060 Carol -> Bob  180 INVITE
                2.070 Bob -> Alice  NOTIFY +180
                2.080 Alice -> Bob  200 NOTIFY
                3.060 Carol -> Bob  200 INVITE +sdp
                3.070 Bob -> Carol  ACK
                3.070 Bob -> Alice  NOTIFY +200
                3.080 Alice -> Bob  200 NOTIFY
                3.080 Alice -> Bob  BYE
                3.090 Bob -> Alice  200 BYE
                """)
        #expect(world.ends(at: alice).map(\.cause) == [.transferred])
        world.perform(.hangUp(CallHandle(rawValue: 9)), at: bob)
        world.finish(alice, bob, carol)
    }

    @Test func blindTransferToNobodyLeavesTheCall() {
        var (world, alice, bob, carol, handle) = scene { $0.limits.calls = 2 }
        world.perform(
            .transfer(handle, .blind(Scene.uri("sip:nobody@192.0.2.77"))), at: alice)
        world.run(for: .milliseconds(50))
        accept(&world, at: bob)
        // Nobody is at that address.
        world.run(for: .seconds(40))
        #expect(world.ends(at: alice).isEmpty)
        #expect(world.story(of: alice).suffix(2) == ["transferProgress", "transferProgress"])
        world.perform(.hangUp(handle), at: alice)
        world.finish(alice, bob, carol)
    }

    @Test func attendedTransfer() {
        var (world, alice, bob, carol, handle) = scene()
        let consultation = world.call(world.uri(of: carol, user: "carol"), from: alice, as: 2)
        world.run(for: .seconds(2))
        world.perform(.transfer(handle, .attended(consultation)), at: alice)
        world.run(for: .milliseconds(50))
        accept(&world, at: bob)
        world.run(for: .seconds(2))
        #expect(
            rest(world, after: 8) == """
                4.000 Alice -> Bob  REFER
                4.010 Bob -> Alice  202 REFER
                4.010 Bob -> Alice  NOTIFY +100
                4.020 Alice -> Bob  200 NOTIFY
                4.050 Bob -> Carol  INVITE +sdp
                4.060 Carol -> Bob  180 INVITE
                4.070 Bob -> Alice  NOTIFY +180
                4.080 Alice -> Bob  200 NOTIFY
                5.060 Carol -> Bob  200 INVITE +sdp
                5.060 Carol -> Alice  BYE
                5.070 Bob -> Carol  ACK
                5.070 Bob -> Alice  NOTIFY +200
                5.070 Alice -> Carol  200 BYE
                5.080 Alice -> Bob  200 NOTIFY
                5.080 Alice -> Bob  BYE
                5.090 Bob -> Alice  200 BYE
                """)
        #expect(world.ends(at: alice).map(\.cause) == [.hungUp, .transferred])
        #expect(world.ends(at: carol).map(\.cause) == [.replaced])
        world.perform(.hangUp(CallHandle(rawValue: 9)), at: bob)
        world.finish(alice, bob, carol)
    }

    @Test func theTransfereeHangsUpWhileTheTargetRings() {
        var (world, alice, bob, carol, _) = transferring()
        world.run(for: .milliseconds(100))
        world.perform(.hangUp(world.incomingCalls(at: bob)[0]), at: bob)
        world.run(for: .seconds(2))
        // The call that was asked for goes on, and Alice hears how it went.
        #expect(rest(world, after: 0).contains("Bob -> Alice  NOTIFY +200"))
        #expect(world.ends(at: alice).map(\.cause) == [.hungUp])
        world.perform(.hangUp(CallHandle(rawValue: 9)), at: bob)
        world.finish(alice, bob, carol)
    }

    @Test func byeCrossesNotify() {
        var (world, alice, bob, carol, handle) = transferring()
        // The BYE leaves while the NOTIFY about the 180 is on its way.
        world.run(for: .milliseconds(25))
        world.perform(.hangUp(handle), at: alice)
        world.run(for: .seconds(2))
        #expect(
            rest(world, after: 8) == """
                2.050 Bob -> Carol  INVITE +sdp
                2.060 Carol -> Bob  180 INVITE
                2.070 Bob -> Alice  NOTIFY +180
                2.075 Alice -> Bob  BYE
                2.080 Alice -> Bob  200 NOTIFY
                2.085 Bob -> Alice  200 BYE
                3.060 Carol -> Bob  200 INVITE +sdp
                3.070 Bob -> Carol  ACK
                3.070 Bob -> Alice  NOTIFY +200
                3.080 Alice -> Bob  200 NOTIFY
                """)
        world.perform(.hangUp(CallHandle(rawValue: 9)), at: bob)
        world.finish(alice, bob, carol)
    }
}
