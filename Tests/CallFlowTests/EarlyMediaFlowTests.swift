import EngineKit
import Proofs
import SIPMessages
import SIPUserAgent
import Simulation
import Testing

/// Calls with reliable early media between two phones (RFC 3262).
@Suite struct EarlyMediaFlowTests {
    /// Early media after 0.5 s, answered after 2 s, hung up by the caller after 40.
    private static func call(losing numbers: Set<Int> = []) -> (world: World, alice: HostID, bob: HostID) {
        var (world, alice, bob) = World.twoPhones(bob: Behaviour(ringAfter: .zero))
        world.lose(numbers)
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        world.run(upTo: .seconds(5)) { !$0.incomingCalls(at: bob).isEmpty }
        for call in world.incomingCalls(at: bob) {
            world.perform(.progress(call, World.media(rtpPort: 30_000)), at: bob, after: .milliseconds(500))
            world.perform(.answer(call, World.media(rtpPort: 30_000)), at: bob, after: .seconds(2))
        }
        world.perform(.hangUp(handle), at: alice, after: .seconds(40))
        world.run(for: .seconds(200))
        return (world, alice, bob)
    }

    @Test(.proves(.row(25), .clause("RFC 3262 §3")))
    func callWithReliableEarlyMedia() {
        let (world, _, _) = Self.call()
        #expect(
            world.ladder.description == """
                0.000 Alice -> Bob  INVITE +sdp
                0.010 Bob -> Alice  180 INVITE
                0.510 Bob -> Alice  183 INVITE +sdp
                0.520 Alice -> Bob  PRACK
                0.530 Bob -> Alice  200 PRACK
                2.010 Bob -> Alice  200 INVITE
                2.020 Alice -> Bob  ACK
                40.010 Alice -> Bob  BYE
                40.020 Bob -> Alice  200 BYE
                """)
    }

    @Test(.proves(.row(25), .incident(50)))
    func losingAnyOneMessageStillGivesEarlyMediaAndACallThatEnds() {
        let whole = Self.call().world.datagrams
        #expect(whole == 9)
        for number in 0..<whole {
            let (world, alice, bob) = Self.call(losing: [number])
            #expect(world.story(of: alice).filter { $0 == "earlyMedia" }.count == 1, "lost \(number)")
            #expect(world.story(of: bob).filter { $0 == "earlyMedia" }.count == 1, "lost \(number)")
            #expect(world.story(of: alice).contains("established"), "lost \(number)")
            #expect(world.story(of: bob).contains("established"), "lost \(number)")
            #expect(world.ends(at: alice).map(\.cause) == [.hungUp], "lost \(number)")
            #expect(world.ends(at: bob).map(\.cause) == [.hungUp], "lost \(number)")
            #expect(world.isAtRest(alice) && world.isAtRest(bob) && world.violations.isEmpty, "lost \(number)")
        }
    }

    @Test(.proves(.row(25), .incident(50)))
    func losingAnyTwoMessagesStillGivesACallThatEnds() {
        for first in 0..<11 {
            for second in first + 1..<12 {
                let (world, alice, bob) = Self.call(losing: [first, second])
                let lost = "lost \(first) and \(second)"
                #expect(world.story(of: alice).contains("established"), "\(lost)")
                #expect(world.story(of: bob).contains("established"), "\(lost)")
                #expect(world.ends(at: alice).count == 1 && world.ends(at: bob).count == 1, "\(lost)")
                #expect(world.isAtRest(alice) && world.isAtRest(bob) && world.violations.isEmpty, "\(lost)")
            }
        }
    }
}
