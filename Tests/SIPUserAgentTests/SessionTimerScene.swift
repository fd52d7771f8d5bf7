import EngineKit
import SIPMessages
import SIPUserAgent
import Testing

/// Calls with session timers, and what tests ask of them.
enum SessionTimerScene {
    static let knows: [(HeaderName, String)] = [(.supported, "timer")]
    static let allows: [(HeaderName, String)] = [(.allow, "INVITE, ACK, BYE, CANCEL, UPDATE")]

    static func expires(_ value: String) -> [(HeaderName, String)] { [(.sessionExpires, value)] }

    static func configuration(
        _ user: String, _ use: SessionTimerPolicy.Use, interval: UInt32 = 1800, minimum: UInt32 = 90
    ) -> UserAgentConfiguration {
        var configuration = World.configuration(user: user)
        configuration.sessionTimers = SessionTimerPolicy(use: use, interval: interval, minimum: minimum)
        return configuration
    }

    static func value(_ headers: Headers) throws -> String? { headers.first(.sessionExpires) }

    /// A call of Alice's that Carol answers with those fields.
    static func calling(
        _ use: SessionTimerPolicy.Use = .supported, answeredWith headers: [(HeaderName, String)]
    ) throws -> World {
        var world = World()
        let invite = try world.aliceCallsCarol(configuration("alice", use))
        try world.reply(
            200, to: invite, from: "carol", contact: carolContact, body: World.answerText, headers: headers)
        return world
    }

    /// A call of Carol's with those fields that Bob answered, and his 200.
    static func called(
        _ use: SessionTimerPolicy.Use = .supported, with headers: [(HeaderName, String)]
    ) throws -> (World, Response) {
        var world = World()
        _ = try world.carolTalksToBob(configuration("bob", use), headers: headers)
        return (world, try #require(world.received(200, at: "carol").first))
    }

    /// When requests of that method were sent for the first time, in seconds.
    static func sent(_ method: Method, in world: World, by name: String = "alice") -> [Int] {
        var branches: Set<String> = []
        return world.ladder.compactMap { step in
            guard step.from == name, case .request(let request) = step.message, request.method == method,
                branches.insert(request.vias.first?.branch ?? "").inserted
            else { return nil }
            return Int((step.at - .zero) / .seconds(1))
        }
    }
}
