import ArgumentParser
import OffhookApp

struct PhoneCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "phone", abstract: "The full-screen phone (what runs without a command).")

    @OptionGroup var shared: SharedArguments
    @OptionGroup(title: "Audio") var media: MediaArguments
    @OptionGroup(title: "Transfers") var transfers: TransferArguments

    func run() throws {
        var options = shared.phoneOptions
        media.apply(to: &options)
        transfers.apply(to: &options)
        try leave(with: TerminalPhone.run(options))
    }
}

struct CallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call", abstract: "Places one call, runs it to its end, reports, exits with the result.",
        discussion: """
            Examples:
              offhook call sip:bob@example.com --audio null --duration 10s --json
              offhook call 192.0.2.7:5070 --play menu.wav --then hangup --record out.wav
              offhook call sip:echo@192.0.2.7 --audio tone:440 --expect-tone 440 --duration 3s
            """)

    @Argument(help: "A SIP or tel URI, user@host, host:port, an address, a contact's name, or a number.")
    var target: String

    @Flag(help: "Do not say who calls: From is anonymous, with Privacy: id.")
    var anonymous = false

    @Option(help: ArgumentHelp("After the answer, have the peer call this target instead.", valueName: "target"))
    var referTo: String?

    @Option(
        help: ArgumentHelp(
            "After the answer, call this target too, and put the peer through to it.", valueName: "target"))
    var attended: String?

    @Option(help: ArgumentHelp("Follow this many targets of 3xx responses, 0 to 5.", valueName: "n"))
    var redirections = 0

    @OptionGroup(title: "Within the call") var script: ScriptArguments
    @OptionGroup var shared: SharedArguments
    @OptionGroup(title: "Audio") var media: MediaArguments
    @OptionGroup(title: "Transfers") var transfers: TransferArguments

    func validate() throws {
        if referTo != nil && attended != nil {
            throw ValidationError("--refer-to and --attended contradict each other")
        }
    }

    func run() throws {
        var options = shared.phoneOptions
        media.apply(to: &options)
        options.isAnonymous = anonymous
        transfers.apply(to: &options)
        var script = script.script
        script.referTo = referTo
        script.attended = attended
        script.redirections = redirections
        try leave(with: ScriptedPhone.call(target, script: script, options))
    }
}

struct AnswerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "answer", abstract: "Waits for calls and answers them as told.",
        discussion: """
            Examples:
              offhook answer --once --play hello.wav --then hangup --record in.wav
              offhook answer --code 486 --reason "Busy Here"
              offhook answer --listen 127.0.0.1:0 --echo --json
            """)

    @Option(help: ArgumentHelp("The final response, 200 to 699; 200 answers.", valueName: "code"))
    var code = 200

    @Option(help: ArgumentHelp("The reason phrase of one that refuses.", valueName: "text"))
    var reason: String?

    @Option(help: ArgumentHelp("Send callers to this target with 302.", valueName: "target"))
    var redirect: String?

    @Option(
        help: ArgumentHelp("Ring this long before the final response.", valueName: "duration"),
        transform: Duration.init(argument:))
    var after: Duration?

    @Flag(help: "End after one call.")
    var once = false

    @Option(help: ArgumentHelp("End after this many calls.", valueName: "n"))
    var count: Int?

    @Option(help: ArgumentHelp("Calls at the same time, 1 to 16.", valueName: "n"))
    var maxCalls: Int?

    @Flag(help: "Send back what is heard.")
    var echo = false

    @Option(
        help: ArgumentHelp(
            "Who is answered automatically: a CIDR or address, account, loopback, from:SIP-ADDRESS (* for any part; needs [[caller]] or a registrar); repeatable.",
            valueName: "rule"))
    var allow: [String] = []

    @Flag(help: "Answer everybody.")
    var allowAny = false

    @OptionGroup(title: "Within the call") var script: ScriptArguments
    @OptionGroup var shared: SharedArguments
    @OptionGroup(title: "Audio") var media: MediaArguments
    @OptionGroup(title: "Transfers") var transfers: TransferArguments

    func validate() throws {
        if once && count != nil { throw ValidationError("--once and --count contradict each other") }
    }

    func run() throws {
        var options = shared.phoneOptions
        media.apply(to: &options)
        transfers.apply(to: &options)
        var answering = AnsweringOptions()
        answering.code = code
        answering.reason = reason
        answering.redirect = redirect
        answering.after = after
        answering.count = once ? 1 : count
        answering.maxCalls = maxCalls
        answering.echo = echo
        answering.allow = allow
        answering.allowAny = allowAny
        try leave(with: ScriptedPhone.answer(answering, script: script.script, options))
    }
}

struct LoopbackCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "loopback", abstract: "Two user agents in one process call each other; a verdict on their audio.")

    @OptionGroup(title: "Output") var output: LoopbackOutput

    @Option(
        help: ArgumentHelp(
            "alsa:DEVICE tests that device; without it, devices of the process itself.", valueName: "spec"))
    var audio: String?

    @Option(help: ArgumentHelp("Fixes tags, SSRCs and all else that is drawn.", valueName: "n"))
    var seed: UInt64?

    struct LoopbackOutput: ParsableArguments {
        @Flag(help: "The result as JSON lines on standard output.")
        var json = false

        @Flag(name: .customLong("sip-trace"), help: "Print SIP messages to standard error.")
        var sipTrace = false
    }

    func run() throws {
        try leave(
            with: LoopbackTest.run(audio: audio, seed: seed, json: output.json, sipTrace: output.sipTrace))
    }
}

struct RegisterCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "register", abstract: "Registers, reports, unregisters.")

    @Flag(help: "Stay registered until a signal or --timeout.")
    var keep = false

    @OptionGroup var shared: SharedArguments

    func run() throws {
        try leave(with: ScriptedPhone.register(keep: keep, shared.phoneOptions))
    }
}

struct OptionsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "options",
        abstract: "Asks a SIP element for its capabilities: round-trip time, Allow, Supported, Accept.")

    @Argument(help: "A SIP URI, user@host, host:port, an address or a contact's name.")
    var target: String

    @Option(help: ArgumentHelp("The final status that makes it a success.", valueName: "code"))
    var expectStatus: Int?

    @OptionGroup var shared: SharedArguments

    func run() throws {
        try leave(with: ScriptedPhone.options(target, expectedStatus: expectStatus, shared.phoneOptions))
    }
}

struct MessageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "message", abstract: "Sends an instant message.",
        discussion: """
            Exit status 0 where it was delivered, else as the final response says.

            Examples:
              offhook message sip:bob@example.com "Are you there?"
              uptime | offhook message bob@192.0.2.7
            """)

    @Argument(help: "A SIP URI, user@host, host:port, an address or a contact's name.")
    var target: String

    @Argument(help: "What it says; standard input without it.")
    var text: String?

    @OptionGroup var request: RequestArguments
    @OptionGroup var shared: SharedArguments

    func run() throws {
        try leave(with: request.send("MESSAGE", to: target, body: text, shared))
    }
}

struct RequestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "request",
        abstract: "Sends one request of any method that makes no dialog, and reports its answer.",
        discussion: """
            Examples:
              offhook request NOTIFY sip:bob@192.0.2.7 "" --header 'Event: check-sync'
              offhook request DANCE sip:bob@192.0.2.7 "" --expect-status 501
            """)

    @Argument(help: "The method, as it is written on the wire.")
    var method: String

    @Argument(help: "A SIP URI, user@host, host:port, an address or a contact's name.")
    var target: String

    @Argument(help: "The body; standard input without it.")
    var body: String?

    @OptionGroup var request: RequestArguments
    @OptionGroup var shared: SharedArguments

    func run() throws {
        try leave(with: request.send(method, to: target, body: body, shared))
    }
}

struct SubscribeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "subscribe",
        abstract: "Subscribes to presence, dialogs, waiting messages or registrations, and reports what it is told.",
        discussion: """
            It goes on until a signal or --timeout, and unsubscribes then; with --expires 0 it asks once.

            Examples:
              offhook subscribe presence sip:bob@example.com --json
              offhook subscribe message-summary sip:alice@example.com --expires 0
            """)

    @Argument(help: "presence, dialog, message-summary or reg.")
    var event: String

    @Argument(help: "A SIP URI, user@host, host:port, an address or a contact's name.")
    var target: String

    @Option(help: ArgumentHelp("Seconds that are asked for; 0 asks once.", valueName: "s"))
    var expires: UInt32 = 3600

    @OptionGroup var shared: SharedArguments

    func run() throws {
        try leave(with: ScriptedPhone.subscribe(event, to: target, expires: expires, shared.phoneOptions))
    }
}

struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "Lists audio devices and what each can do.")

    @Flag(help: "One JSON object on standard output.")
    var json = false

    func run() throws {
        try leave(with: DeviceListing.run(json: json))
    }
}

struct ParseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parse",
        abstract:
            "Reads a SIP message; prints its structure, or every fault with its clause and the status it is owed.",
        discussion: """
            Exit status 0 for a message without a fault, 65 otherwise. That this phone would refuse it, as a REGISTER or
            an extension that it lacks, is said and no fault.

            Examples:
              offhook parse invite.sip
              offhook parse --json < message.dat
            """)

    @Argument(help: "A file with one message; standard input without it, or with -.")
    var file: String?

    @Flag(help: "The file holds a session description.")
    var sdp = false

    @Flag(help: "One JSON object on standard output.")
    var json = false

    func run() throws {
        try leave(with: MessageInspection.run(file: file, isSessionDescription: sdp, json: json))
    }
}
