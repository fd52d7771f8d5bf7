import EngineKit
import SDP
import SIPMessages
import SIPUserAgent
import Simulation
import Testing

/// The parties of most flows: Alice's and Bob's phones, and whoever else the flow needs.
enum Scene {
    static let alice = IPAddress.v4(0xc000_0201)
    static let bob = IPAddress.v4(0xc000_0202)
    static let proxy = IPAddress.v4(0xc000_0203)
    static let secondProxy = IPAddress.v4(0xc000_0204)

    /// An account of the domain `example.com` with a registrar and proxy at `proxy.example.com`.
    static func account(_ user: String) -> Account {
        Account(
            id: AccountID(rawValue: 0), name: user, address: NameAddress(uri: uri("sip:\(user)@example.com")),
            registrar: uri("sip:proxy.example.com"),
            credentials: AccountCredentials(username: user, password: Secret("zanzibar")),
            outboundProxy: uri("sip:proxy.example.com;lr"))
    }

    /// A URI of a test's own; one that can't be read names nobody.
    static func uri(_ text: String) -> URI {
        (try? URI(parsing: text)) ?? .other(scheme: "invalid", rest: text)
    }
}

extension World {
    /// Two phones that know of nobody but each other; Bob's answers after a second unless told otherwise.
    static func twoPhones(
        seed: UInt64 = 1, conditions: NetworkConditions = .perfect, bob behaviour: Behaviour = .answersAfterOneSecond,
        configure: (inout UserAgentConfiguration) -> Void = { _ in }
    ) -> (world: World, alice: HostID, bob: HostID) {
        var world = World(seed: seed, conditions: conditions)
        let alice = world.addPhone("Alice", at: Scene.alice, configure: configure)
        let bob = world.addPhone("Bob", at: Scene.bob, behaviour: behaviour, configure: configure)
        return (world, alice, bob)
    }

    /// Alice's phone and a scripted Bob.
    static func phoneAndAgent(seed: UInt64 = 1) -> (world: World, alice: HostID, bob: HostID) {
        var world = World(seed: seed)
        let alice = world.addPhone("Alice", at: Scene.alice)
        let bob = world.addAgent("Bob", at: Scene.bob)
        return (world, alice, bob)
    }

    /// A scripted Alice and Bob's phone.
    static func agentAndPhone(
        seed: UInt64 = 1, behaviour: Behaviour = .rings
    ) -> (world: World, alice: HostID, bob: HostID) {
        var world = World(seed: seed)
        let alice = world.addAgent("Alice", at: Scene.alice)
        let bob = world.addPhone("Bob", at: Scene.bob, behaviour: behaviour)
        return (world, alice, bob)
    }

    /// Alice's phone in a call with a scripted Bob: what both need to go on.
    static func establishedWithAgent() throws -> (
        world: World, alice: HostID, bob: HostID, handle: CallHandle, invite: Request, dialog: ScriptedDialog
    ) {
        var (world, alice, bob) = phoneAndAgent()
        let handle = world.call(world.uri(of: bob, user: "bob"), from: alice)
        let invite = try world.expect(.invite, at: bob)
        world.say(world.answer(200, to: invite, from: bob, tag: "bob"), from: bob, to: alice)
        _ = try world.expect(.ack, at: bob)
        return (world, alice, bob, handle, invite, ScriptedDialog(answering: invite, tag: "bob"))
    }

    /// A scripted agent calls a phone, which answers: what the agent needs to go on, first of all with its ACK.
    mutating func place(_ invite: Request, from agent: HostID, to phone: HostID) throws -> ScriptedDialog {
        say(invite, from: agent, to: phone)
        return ScriptedDialog(calling: invite, answeredBy: try expect(200, to: .invite, at: agent))
    }

    /// The scripted agent ends the call, and the phone agrees.
    mutating func hangUp(_ dialog: inout ScriptedDialog, from agent: HostID, to phone: HostID) throws {
        say(dialog.request(.bye, via: via(of: agent)), from: agent, to: phone)
        _ = try expect(200, to: .bye, at: agent)
    }

    /// Lets everything end, and checks what must hold after any flow.
    mutating func finish(_ phones: HostID..., sourceLocation: SourceLocation = #_sourceLocation) {
        run(for: .seconds(120))
        #expect(violations.isEmpty, sourceLocation: sourceLocation)
        for phone in phones {
            #expect(
                isAtRest(phone), "\(String(describing: core(of: phone)?.occupancy))", sourceLocation: sourceLocation)
        }
    }
}
