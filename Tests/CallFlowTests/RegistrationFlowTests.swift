import EngineKit
import Proofs
import SIPMessages
import SIPUserAgent
import Simulation
import Testing

/// The flows of RFC 3665 §2.
@Suite struct RegistrationFlowTests {
    static let challenge =
        #"Digest realm="example.com", qop="auth", nonce="ea9c8e88df84f1cec4341ae6cbe5a359", algorithm=MD5"#

    static func scene() -> (world: World, bob: HostID, registrar: HostID) {
        var world = World()
        let bob = world.addPhone("Bob", at: Scene.bob) { $0.accounts = [Scene.account("bob")] }
        let registrar = world.addAgent("Registrar", at: Scene.proxy)
        world.directory["proxy.example.com"] = [Scene.proxy]
        return (world, bob, registrar)
    }

    /// A 200 that grants what was asked, for `expires` seconds.
    private func granted(_ request: Request, expires: Int = 3600) -> Response {
        let contact = request.headers.first(.contact) ?? "*"
        let address = contact.split(separator: ";").first.map(String.init) ?? contact
        return request.response(200, toTag: "r").with(.contact, "\(address);expires=\(expires)")
    }

    @Test(.proves(.clause("RFC 3665 §2.1"), .clause("RFC 3665 §2.4")))
    func registersAfterAChallengeRefreshesAndUnregisters() throws {
        var (world, bob, registrar) = Self.scene()
        world.perform(.register(AccountID(rawValue: 0)), at: bob)
        let first = try world.expect(.register, at: registrar)
        #expect(first.headers.first(.authorization) == nil)
        world.say(first.response(401, toTag: "r").with(.wwwAuthenticate, Self.challenge), from: registrar, to: bob)
        let second = try world.expect(.register, at: registrar)
        #expect(second.headers.contains(.authorization))
        #expect(second.callID == first.callID && second.cSeq.number == first.cSeq.number + 1)
        world.say(granted(second), from: registrar, to: bob)
        world.run(for: .seconds(1))
        let refresh = try world.expect(.register, at: registrar, within: .seconds(3600))
        #expect(refresh.callID == first.callID && refresh.cSeq.number > second.cSeq.number)
        world.say(granted(refresh), from: registrar, to: bob)
        world.run(for: .seconds(1))
        world.perform(.unregister(AccountID(rawValue: 0)), at: bob)
        let removal = try world.expect(.register, at: registrar)
        let expires = removal.headers.first(.expires) ?? removal.headers.first(.contact) ?? ""
        #expect(expires.hasSuffix("0"))
        world.say(removal.response(200, toTag: "r"), from: registrar, to: bob)
        #expect(
            world.ladder.lines.map { String($0.drop { $0 != " " }) } == [
                " Bob -> Registrar  REGISTER", " Registrar -> Bob  401 REGISTER", " Bob -> Registrar  REGISTER",
                " Registrar -> Bob  200 REGISTER", " Bob -> Registrar  REGISTER", " Registrar -> Bob  200 REGISTER",
                " Bob -> Registrar  REGISTER", " Registrar -> Bob  200 REGISTER",
            ])
        world.finish(bob)
    }

    /// Name servers may be away when a machine starts.
    @Test(.proves(.row(39)))
    func aRegistrarWithoutAnAddressIsLookedForAgainUntilItHasOne() throws {
        var (world, bob, registrar) = Self.scene()
        world.directory = [:]
        world.perform(.register(AccountID(rawValue: 0)), at: bob)
        world.run(for: .seconds(600))
        let failures = world.story(of: bob).count { $0 == "registration" }
        #expect((2...20).contains(failures))
        world.directory["proxy.example.com"] = [Scene.proxy]
        _ = try world.expect(.register, at: registrar, within: .seconds(1800))
        #expect(world.violations.isEmpty)
    }

    @Test(.proves(.clause("RFC 3665 §2.5"), .row(40)))
    func givesUpWhenThePasswordIsWrong() throws {
        var (world, bob, registrar) = Self.scene()
        world.perform(.register(AccountID(rawValue: 0)), at: bob)
        for _ in 0..<2 {
            let request = try world.expect(.register, at: registrar)
            world.say(
                request.response(401, toTag: "r").with(.wwwAuthenticate, Self.challenge), from: registrar, to: bob)
        }
        #expect(world.hear(at: registrar, for: .seconds(20)) == [])
        #expect(world.story(of: bob).contains("registration"))
        #expect(world.violations.isEmpty)
    }
}
