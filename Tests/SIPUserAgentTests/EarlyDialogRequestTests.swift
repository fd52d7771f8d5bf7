import Proofs
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing

/// What a callee asks within an early dialog of a call of ours, which no 2xx has confirmed yet (RFC 3261 §12.1, §12.2.2).
@Suite struct EarlyDialogRequestTests {
    /// Carol asks within the dialog with that tag of hers, and is answered.
    private func ask(
        _ method: Method, with headers: [(HeaderName, String)] = [], body: String? = nil, of invite: Request,
        tag: String = "a", sequence: UInt32 = 1, in world: inout World
    ) throws -> StatusCode? {
        var request = try world.request(
            method, from: "carol", to: "alice", callID: invite.callID, sequence: sequence, fromTag: tag,
            toTag: invite.from.tag, headers: headers)
        if method != .invite { request.headers.append(Contact.address(try NameAddress(parsing: carolContact))) }
        if let body {
            request.headers.append(method == .message ? .plainText : ContentType.sdp)
            request.body = Array(body.utf8)
        }
        world.ask(request, from: "carol", to: "alice")
        return world.lastAnswer(to: method, at: "carol")?.status
    }

    private func ringing() throws -> (world: World, invite: Request) {
        var world = World()
        let invite = try world.aliceCallsCarol()
        try world.reply(180, to: invite, from: "carol", tag: "a", contact: carolContact)
        return (world, invite)
    }

    private static let requests: [(Method, [(HeaderName, String)], String?, StatusCode)] = [
        (.invite, [], World.answerText, 491),
        (.options, [], nil, 200),
        (.info, [], nil, 200),
        (.update, [], nil, 200),
        (.message, [], "Coming.", 200),
        (.refer, [(.referTo, "<sip:dave@192.0.2.4>")], nil, 403),
        (.subscribe, [(.event, "refer")], nil, 403),
        (.notify, [(.event, "refer"), (.subscriptionState, "active")], nil, 481),
        (.prack, [(.rAck, "1 1 INVITE")], nil, 481),
    ]

    @Test(.proves(.clause("RFC 3261 §14.2"), .clause("RFC 3261 §12.2.2")), arguments: Self.requests.indices)
    func eachMethodIsAnsweredForWhatItIsAndTheCallGoesOn(index: Int) throws {
        let (method, headers, body, expected) = Self.requests[index]
        var (world, invite) = try ringing()
        #expect(try ask(method, with: headers, body: body, of: invite, sequence: 2, in: &world) == expected)
        #expect(try ask(.options, of: invite, in: &world) == 500)
        #expect(try ask(method, with: headers, body: body, of: invite, tag: "b", sequence: 3, in: &world) == 481)
        #expect(world.ends(at: "alice").isEmpty)
        try world.reply(200, to: invite, from: "carol", tag: "a", contact: carolContact, body: World.answerText)
        #expect(world.story(of: "alice").contains("established"))
    }

    @Test(.proves(.clause("RFC 3261 §12.2.2")))
    func nothingIsFoundInAnEarlyDialogOnceAnotherAnswered() throws {
        var (world, invite) = try ringing()
        try world.reply(200, to: invite, from: "carol", tag: "b", contact: carolContact, body: World.answerText)
        for method in [.invite, .options, .refer] as [Method] {
            #expect(try ask(method, with: [(.referTo, "<sip:dave@192.0.2.4>")], of: invite, in: &world) == 481)
        }
        #expect(world.ends(at: "alice").isEmpty)
    }
}
