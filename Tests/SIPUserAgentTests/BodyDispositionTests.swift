import EngineKit
import Proofs
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// Which of the bodies that a message carries describes the session (RFC 3261 §20.11, §8.2.3).
@Suite struct BodyDispositionTests {
    private static let early = World.answerText.replacing("20000", with: "30000")

    /// Bob, and what Carol's INVITE with that body was answered or not.
    private func invited(
        _ body: String, type: String = "application/sdp", disposition: String? = nil
    ) throws -> (world: World, invite: Request, answer: Response?) {
        var world = bobAndCarol()
        var request = try world.request(.invite, from: "carol", to: "bob", headers: [(.contentType, type)])
        if let disposition { try request.headers.append(.contentDisposition, disposition) }
        request.body = Array(body.utf8)
        world.ask(request, from: "carol", to: "bob")
        return (world, request, world.lastAnswer(to: .invite, at: "carol"))
    }

    private func part(_ body: String, _ fields: String...) -> String {
        "--b\r\n" + (["Content-Type: application/sdp"] + fields).joined(separator: "\r\n") + "\r\n\r\n\(body)\r\n"
    }

    /// Where Bob's media goes once he has answered.
    private func answered(_ world: inout World) throws -> [UInt16?] {
        world.perform(.answer(try #require(world.incoming(at: "bob")), World.media), by: "bob")
        world.run(for: .milliseconds(20))
        return world.agreements(at: "bob").map(\.media.remoteRTP?.port)
    }

    @Test(.proves(.row(28), .clause("RFC 3261 §20.11")))
    func thePartThatIsMeantForTheSessionIsTheOffer() throws {
        let earlyMedia = part(Self.early, "Content-Disposition: early-session;handling=optional")
        for session in [
            part(World.answerText), part(World.answerText, "Content-Disposition: Session;handling=required"),
        ] {
            for body in [earlyMedia + session, session + earlyMedia] {
                var (world, _, _) = try invited(body + "--b--\r\n", type: "multipart/mixed;boundary=b")
                #expect(try answered(&world) == [20000])
            }
        }
    }

    @Test(.proves(.row(28), .clause("RFC 3261 §20.11"), .clause("RFC 3261 §8.2.3")))
    func aDescriptionThatIsNotOfTheSessionGets415UnlessOptional() throws {
        for disposition in ["render", "early-session", "magic", "early-session;handling=required", "magic;handling=x"] {
            let answer = try invited(Self.early, disposition: disposition).answer
            #expect(answer?.status == 415, "\(disposition)")
            #expect(answer?.headers.contains(.accept) == true)
            let body = part(World.answerText) + part(Self.early, "Content-Disposition: \(disposition)") + "--b--\r\n"
            #expect(try invited(body, type: "multipart/mixed;boundary=b").answer?.status == 415, "\(disposition)")
        }
        for disposition in ["render", "early-session", "magic"] {
            // It is as if it were not there, so that the answer carries the offer (§13.2.1).
            var (world, invite, _) = try invited(Self.early, disposition: disposition + ";handling=optional")
            #expect(try answered(&world) == [])
            let response = try #require(world.received(200, at: "carol").last)
            #expect(!response.body.isEmpty)
            var ack = invite.bare(.ack)
            ack.to = response.to
            ack.vias[0].branch = "z9hG4bKack"
            ack.headers.append(ContentType.sdp)
            ack.body = Array(World.answerText.utf8)
            world.ask(ack, from: "carol", to: "bob")
            #expect(world.agreements(at: "bob").map(\.media.remoteRTP?.port) == [20000])
        }
        #expect(try invited(World.answerText, disposition: "session;handling=required").answer?.status != 415)
    }

    @Test(.proves(.row(28), .clause("RFC 3261 §20.12"), .clause("RFC 3261 §8.2.3")))
    func aCodedPartGets415WithTheCodingsThatAreTaken() throws {
        let coded = part(World.answerText, "Content-Encoding: gzip")
        let answer = try invited(coded + "--b--\r\n", type: "multipart/mixed;boundary=b").answer
        #expect(answer?.status == 415)
        #expect(try answer?.headers.first(AcceptEncoding.self) == AcceptEncoding(["identity"]))
        let optional = part(Self.early, "Content-Encoding: gzip", "Content-Disposition: session;handling=optional")
        var (world, _, _) = try invited(
            optional + part(World.answerText, "Content-Encoding: identity") + "--b--\r\n",
            type: "multipart/mixed;boundary=b")
        #expect(try answered(&world) == [20000])
    }

    @Test(.proves(.clause("RFC 3261 §20.11")))
    func aResponseAnswersWithWhatIsMeantForTheSessionAlone() throws {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(
            183, to: invite, from: "carol", contact: carolContact, body: Self.early,
            headers: [(.contentDisposition, "early-session")])
        #expect(world.agreements(at: "alice").isEmpty)
        try world.reply(
            200, to: invite, from: "carol", contact: carolContact, body: World.answerText,
            headers: [(.contentDisposition, "session")])
        #expect(world.agreements(at: "alice").map(\.media.remoteRTP?.port) == [20000])
        world = World()
        let other = try world.aliceCallsCarol()
        try world.reply(
            200, to: other, from: "carol", contact: carolContact, body: Self.early,
            headers: [(.contentDisposition, "early-session;handling=optional")])
        #expect(world.agreements(at: "alice").isEmpty)
        #expect(world.last(.bye, at: "carol") != nil)
    }

    @Test(.proves(.clause("RFC 3261 §20.11"), .clause("RFC 3311 §5.2")))
    func anUpdateOffersWhatIsMeantForTheSessionAlone() throws {
        var world = World()
        let (_, tag) = try world.carolTalksToBob()
        let before = world.agreements(at: "bob").count
        try world.carolSends(
            .update, sequence: 2, bobTag: tag, body: Self.early,
            headers: [(.contentType, "application/sdp"), (.contentDisposition, "render")])
        #expect(world.lastAnswer(to: .update, at: "carol")?.status == 415)
        try world.carolSends(
            .update, sequence: 3, bobTag: tag, body: Self.early,
            headers: [(.contentType, "application/sdp"), (.contentDisposition, "render;handling=optional")])
        #expect(world.lastAnswer(to: .update, at: "carol")?.status == 200)
        #expect(world.lastAnswer(to: .update, at: "carol")?.body.isEmpty == true)
        #expect(world.agreements(at: "bob").count == before)
    }
}
