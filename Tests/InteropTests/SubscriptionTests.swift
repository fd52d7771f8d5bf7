import Testing

/// Subscriptions in both roles (RFC 6665), with SIPp and at Kamailio's presence server.
@Suite(.serialized, .enabled(if: Peer.isWanted("sipp"), "SIPp is not installed"))
struct SubscriptionTests {
    private func subscription(
        to package: String, _ type: String, over transport: SIPp.Transport, told documents: [String],
        _ judge: ([Phone.Event]) -> Void, as name: String
    ) async throws {
        let sipp = try await SIPp.callee(
            "notifier", transport: transport,
            with: [
                "package": package, "type": "application/\(type)", "subtype": type.replacing("+xml", with: ""),
                "first": documents[0], "second": documents[1],
            ])
        let phone = try Phone("subscribe", package, sipp.uri)
        try await phone.eventually { try phone.events(named: name).count == 2 }
        judge(try phone.events(named: name))
        phone.program.signal(15)
        #expect(try await phone.end() == 143, "\(phone.program.written)")
        #expect(try phone.events(named: "subscription").map(\.state) == ["active", "ended"])
        #expect(try phone.events.last?.event == "verdict")
        try await sipp.expectSuccess()
    }

    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func waitingMessagesAreTold(over transport: SIPp.Transport) async throws {
        try await subscription(
            to: "message-summary", "simple-message-summary", over: transport,
            told: [
                "Messages-Waiting: yes\n      Voice-Message: 4/8 (1/2)",
                "Messages-Waiting: no\n      Voice-Message: 0/12",
            ],
            { #expect($0.map(\.waiting) == [true, false] && $0.map(\.new) == [4, 0]) }, as: "mwi")
    }

    private func dialogs(_ version: Int, _ extent: String, _ state: String) -> String {
        """
        <dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="\(version)" state="\(extent)" entity="sip:bob@127.0.0.1">
        <dialog id="d1" direction="initiator"><state>\(state)</state></dialog></dialog-info>
        """.replacing("\n", with: "")
    }

    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func aBusyLampFollowsADialog(over transport: SIPp.Transport) async throws {
        try await subscription(
            to: "dialog", "dialog-info+xml", over: transport,
            told: [dialogs(0, "full", "confirmed"), dialogs(1, "partial", "terminated")],
            { #expect($0.map(\.state) == ["confirmed", "terminated"]) }, as: "dialog")
    }

    @Test(arguments: [SIPp.Transport.udp, .tcp])
    func ourCallsAreWatched(over transport: SIPp.Transport) async throws {
        let phone = try Phone("answer", "--audio", "silence", "--sip-trace")
        let sipp = try await SIPp.caller(
            "watcher", to: phone, transport: transport,
            with: [
                "package": "dialog", "type": "application/dialog-info+xml", "subtype": "dialog-info",
                "before": "dialog-info", "during": "confirmed", "after": "terminated",
            ])
        _ = try await phone.program.errorLine("the first NOTIFY") { $0.contains("NOTIFY sip:") }
        let caller = try Phone(
            "call", "sip:phone@127.0.0.1:\(try await phone.port)", "--audio", "silence", "--duration", "2s")
        #expect(try await caller.end() == 0, "\(caller.program.written)")
        try await sipp.expectSuccess()
        phone.program.signal(15)
        _ = try await phone.end()
    }

    @Test(
        .enabled(
            if: Peer.isWanted("kamailio") && Kamailio.hasModule("presence_xml"), "Kamailio has no presence modules"))
    func whoAnswersTellsThatItIsOnThePhone() async throws {
        let kamailio = try await Kamailio(servesPresence: true)
        let account = try ConfiguredAccount(
            "alice", password: Kamailio.password, at: kamailio.port, more: "publish = true\nsources = '127.0.0.1'")
        let watcher = try Phone("subscribe", "presence", "sip:alice@127.0.0.1:\(kamailio.port)")
        try await watcher.event("subscription")
        let answering = try Phone("answer", "--audio", "null", "--allow-any", "--config", account.path)
        try await watcher.eventually { try watcher.events(named: "presence").last?.activities == [] }
        let calling = try Phone("call", "sip:alice@127.0.0.1:\(try await answering.port)", "--audio", "null")
        try await calling.event("call.answered")
        try await watcher.eventually {
            try watcher.events(named: "presence").last?.activities == ["on-the-phone"]
        }
        for phone in [calling, answering, watcher] {
            phone.program.signal(15)
            #expect(try await phone.end() == 143, "\(phone.program.written)")
        }
        try await kamailio.stop()
    }

    /// The full-screen phone publishes that it is there, and takes that back when it leaves (RFC 3903).
    @Test(
        .enabled(if: Peer.isWanted("tmux"), "tmux is not installed"),
        .enabled(
            if: Peer.isWanted("kamailio") && Kamailio.hasModule("presence_xml"), "Kamailio has no presence modules"),
        arguments: ["udp", "tcp"])
    func presenceIsPublishedAndTold(over transport: String) async throws {
        let kamailio = try await Kamailio(servesPresence: true)
        let account = try ConfiguredAccount(
            "alice", password: Kamailio.password, at: kamailio.port, transport: transport, more: "publish = true")
        let watcher = try Phone(
            "subscribe", "presence",
            "sip:alice@127.0.0.1:\(kamailio.port)" + (transport == "tcp" ? ";transport=tcp" : ""))
        try await watcher.event("subscription")
        try await TerminalSession.use { terminal in
            let binary = try Phone.binary
            try await terminal.enter("\(binary) --config \(account.path) --audio null --listen 127.0.0.1:0")
            try await terminal.shows("presence published")
            try await watcher.eventually { try watcher.events(named: "presence").map(\.open) == [true] }
            try await terminal.press("q")
            try await terminal.showsPrompt()
        }
        try await watcher.eventually { try watcher.events(named: "presence").map(\.open) == [true, false] }
        watcher.program.signal(15)
        #expect(try await watcher.end() == 143, "\(watcher.program.written)")
        try await kamailio.stop()
    }
}
