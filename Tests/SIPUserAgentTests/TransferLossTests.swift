import EngineKit
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Transfers over a network that loses one message: whichever it is, the peers end up together and nothing is left.
@Suite struct TransferLossTests {
    private let names = ["alice": "192.0.2.1", "bob": "192.0.2.2", "dave": "192.0.2.4"]
    private let consultation = CallHandle(rawValue: 2)
    private let new = CallHandle(rawValue: 7)

    /// Alice calls Bob, for an attended transfer Dave too, and transfers Bob to Dave; then Bob hangs up.
    private func play(isAttended: Bool, losing lost: Int?) throws -> World {
        var world = World()
        for (name, address) in names.sorted(by: { $0.key < $1.key }) { world.add(name, at: address) }
        if let lost { world.loses = { _, index in index == lost } }
        func call(_ handle: CallHandle, _ name: String) throws {
            let uri = try target("sip:\(name)@\(names[name] ?? "")")
            world.perform(.call(handle, OutgoingCall(target: uri, media: World.media)), by: "alice")
        }
        var answered: [String: Int] = [:]
        var asked = 0
        func live(_ duration: Duration) {
            for _ in 0..<Int(duration.components.seconds * 10) {
                world.run(for: .milliseconds(100))
                for name in names.keys.sorted() {
                    while let handle = world.incoming(at: name, answered[name, default: 0]) {
                        answered[name, default: 0] += 1
                        world.perform(.answer(handle, World.media), by: name)
                    }
                }
                if world.transferRequests(at: "bob").count > asked, let handle = world.incoming(at: "bob") {
                    asked += 1
                    world.perform(.acceptTransfer(handle, as: new, World.media), by: "bob")
                }
            }
        }
        try call(caller, "bob")
        if isAttended { try call(consultation, "dave") }
        live(.seconds(3))
        let destination: TransferTarget =
            try isAttended ? .attended(consultation) : .blind(target("sip:dave@192.0.2.4"))
        world.perform(.transfer(caller, destination), by: "alice")
        live(.seconds(70))
        world.perform(.hangUp(new), by: "bob")
        live(.seconds(120))
        return world
    }

    @Test(arguments: [false, true])
    func anyMessageMayBeLost(isAttended: Bool) throws {
        let whole = try play(isAttended: isAttended, losing: nil).ladder.count
        #expect(whole > 15)
        for lost in 0..<whole {
            let world = try play(isAttended: isAttended, losing: lost)
            let step = world.ladder[lost].summary
            #expect(
                world.transfers(of: "alice").contains(.succeeded(StatusFragment(200))), "lost \(lost), \(step)")
            #expect(world.ends(at: "alice").contains { $0.cause == .transferred }, "lost \(lost), \(step)")
            for name in names.keys.sorted() {
                #expect(world.cores[name]?.occupancy == .empty, "\(name) after losing \(lost), \(step)")
            }
        }
    }
}
