import ArgumentParser
import OffhookApp

extension SIPSettings.Limits: ExpressibleByArgument {}
extension SIPSettings.Verdict: ExpressibleByArgument {}
extension DigitMode: ExpressibleByArgument {}
extension CallScript.RecordFormat: ExpressibleByArgument {}
extension PhoneOptions.LogLevel: ExpressibleByArgument {}
extension CallScript.PlayMoment: ExpressibleByArgument {}
extension CallScript.AfterPlaying: ExpressibleByArgument {}

/// Where the configuration is and how the process talks.
struct OutputArguments: ParsableArguments {
    @Option(name: .customLong("config"), help: ArgumentHelp("The configuration to use.", valueName: "file"))
    var configurationPath: String?

    @Flag(name: .customLong("no-config"), help: "Read no configuration.")
    var noConfiguration = false

    @Flag(help: "Events as JSON lines on standard output.")
    var json = false

    @Flag(name: .customLong("sip-trace"), help: "Print SIP messages to standard error, with secrets redacted.")
    var sipTrace = false

    @Option(help: ArgumentHelp("Diagnostics: trace, debug, info, notice, warning or error.", valueName: "level"))
    var logLevel = PhoneOptions.LogLevel.notice
}

/// What all commands that send or take SIP requests share.
struct SharedArguments: ParsableArguments {
    @OptionGroup(title: "Output and configuration") var output: OutputArguments

    @Option(help: ArgumentHelp("Which configured account.", valueName: "name"))
    var account: String?

    @Option(
        help: ArgumentHelp(
            "Local SIP address; port 0 picks one; repeatable; ';transport=tcp' for TCP alone.",
            valueName: "address:port"))
    var listen: [String] = []

    @Option(help: ArgumentHelp("Outbound proxy.", valueName: "uri"))
    var proxy: String?

    @Option(
        help: ArgumentHelp("Fixes tags, branches, Call-IDs, SSRCs, sequence numbers and timestamps.", valueName: "n"))
    var seed: UInt64?

    @Option(
        help: ArgumentHelp(
            "A bad network, both ways: loss=5%,burst=3,jitter=30ms,delay=80ms,reorder=1%,dup=1%,seed=7,on=rtp|sip|both.",
            valueName: "spec"))
    var impair: String?

    @Option(
        help: ArgumentHelp("Bound on the whole command: 500ms, 40s, 2m, 1h.", valueName: "duration"),
        transform: Duration.init(argument:))
    var timeout: Duration?

    @Option(help: ArgumentHelp("Caps against floods: strict, trusted or open.", valueName: "profile"))
    var limits: SIPSettings.Limits?

    var phoneOptions: PhoneOptions {
        var options = PhoneOptions()
        options.configurationPath = output.configurationPath
        options.usesConfiguration = !output.noConfiguration
        options.json = output.json
        options.sipTrace = output.sipTrace
        options.logLevel = output.logLevel
        options.account = account
        options.listen = listen
        options.proxy = proxy
        options.seed = seed
        options.impairment = impair
        options.timeout = timeout
        options.limits = limits
        return options
    }
}

/// What peers may do with the calls of a phone.
struct TransferArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A peer that asks us to call somebody in its place: allow, ask or deny.", valueName: "verdict"))
    var refer: SIPSettings.Verdict?

    @Option(
        help: ArgumentHelp("A caller who takes the place of a call: allow, ask or deny.", valueName: "verdict"))
    var replaces: SIPSettings.Verdict?

    func apply(to options: inout PhoneOptions) {
        options.refer = refer
        options.replaces = replaces
    }
}

/// What the commands with audio share.
struct MediaArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Both directions: alsa[:DEVICE], null, silence, tone:HZ[,DBFS], file:PATH, stdio or echo.",
            valueName: "spec"))
    var audio: String?

    @Option(help: ArgumentHelp("What is sent to the peer, as --audio.", valueName: "spec"))
    var input: String?

    @Option(help: ArgumentHelp("Where the peer is heard, as --audio.", valueName: "spec"))
    var output: String?

    @Option(
        help: ArgumentHelp(
            "What is done to the microphone's sound: echo (out), noise (down), gain (level), or none.",
            valueName: "list"))
    var voiceProcessing: String?

    @Option(help: ArgumentHelp("Codecs in order of preference, as opus,g722,pcmu,pcma.", valueName: "list"))
    var codec: String?

    @Option(
        help: ArgumentHelp(
            "How our Opus is made, whatever the peer asks for: bitrate=32000,complexity=5,fec=on,dtx=off.",
            valueName: "spec"))
    var opus: String?

    @Option(
        help: ArgumentHelp("Milliseconds in a packet, where the peer wishes for no other: 3 to 120.", valueName: "ms"))
    var ptime: Int?

    @Option(help: ArgumentHelp("Range of RTP ports, as 16384-32767.", valueName: "low-high"))
    var rtpPorts: String?

    func apply(to options: inout PhoneOptions) {
        options.audio = audio
        options.input = input
        options.output = output
        options.voiceProcessing = voiceProcessing
        options.codecs = codec
        options.opus = opus
        options.packetTime = ptime
        options.rtpPorts = rtpPorts
    }
}

/// What the commands that send one request share.
struct RequestArguments: ParsableArguments {
    @Option(help: ArgumentHelp("The body's type; text/plain without it.", valueName: "type/subtype"))
    var contentType: String?

    @Option(help: ArgumentHelp("'Name: value' added to the request; repeatable.", valueName: "header"))
    var header: [String] = []

    @Option(help: ArgumentHelp("The final status that makes it a success.", valueName: "code"))
    var expectStatus: Int?

    func send(_ method: String, to target: String, body: String?, _ shared: SharedArguments) -> ExitStatus {
        var request = BareRequest(method: method)
        request.headers = header
        request.contentType = contentType
        request.body = body.map { Array($0.utf8) }
        return ScriptedPhone.request(request, to: target, expectedStatus: expectStatus, shared.phoneOptions)
    }
}

/// What `call` and `answer` do within a call.
struct ScriptArguments: ParsableArguments {
    @Option(help: ArgumentHelp("A file, or tone:HZ[,DBFS], sent to the peer.", valueName: "spec"))
    var play: String?

    @Option(help: ArgumentHelp("When to play: answered or early; answered without it.", valueName: "moment"))
    var when: CallScript.PlayMoment?

    @Option(
        help: ArgumentHelp(
            "What follows the end of the file: hangup, loop, silence or live; silence without it.", valueName: "what"))
    var then: CallScript.AfterPlaying?

    @Option(
        help: ArgumentHelp(
            "A sound file of the call: WAV; FLAC or Opus where it ends in .flac or .opus.", valueName: "path"))
    var record: String?

    @Option(
        help: ArgumentHelp(
            "stereo: left what we sent, right what we heard (without it); mono: both in one.", valueName: "format"))
    var recordFormat: CallScript.RecordFormat?

    @Option(
        help: ArgumentHelp("Digits to send after the answer; ',' waits 1 s, 'w' waits for media.", valueName: "string"))
    var dtmf: String?

    @Option(help: ArgumentHelp("How digits are sent: auto, rtp, info or inband.", valueName: "mode"))
    var dtmfMode = DigitMode.auto

    @Option(
        help: ArgumentHelp("Hang up this long after the answer.", valueName: "duration"),
        transform: Duration.init(argument:))
    var duration: Duration?

    @Option(
        help: ArgumentHelp("Give up, or stop ringing.", valueName: "duration"), transform: Duration.init(argument:))
    var ringTimeout: Duration?

    @Option(
        help: ArgumentHelp(
            "'Name: value' added to the INVITE or to the final response; repeatable.", valueName: "header"))
    var header: [String] = []

    @Option(help: ArgumentHelp("The final status that makes the call a success.", valueName: "code"))
    var expectStatus: Int?

    @Option(help: ArgumentHelp("A tone that must be heard.", valueName: "hz"))
    var expectTone: Double?

    @Option(name: .customLong("expect-dtmf"), help: ArgumentHelp("Digits that must be received.", valueName: "string"))
    var expectDTMF: String?

    @Flag(help: "Somebody must be heard speaking.")
    var expectSpeech = false

    @Flag(help: "Nothing may be heard after the answer.")
    var expectSilence = false

    @Option(
        name: .customLong("min-mos"),
        help: ArgumentHelp("How people would judge what is heard (MOS-LQ), at least.", valueName: "1-4.5"))
    var minMOS: String?

    @Option(help: ArgumentHelp("What may be lost of what the peer sends: 0.5%.", valueName: "percent"))
    var maxLoss: String?

    @Option(
        help: ArgumentHelp("How unevenly it may come (RFC 3550): 30ms.", valueName: "duration"),
        transform: Duration.init(argument:))
    var maxJitter: Duration?

    @Option(
        help: ArgumentHelp("From mouth to ear at most, as far as the phone knows: 150ms.", valueName: "duration"),
        transform: Duration.init(argument:))
    var maxLatency: Duration?

    func validate() throws {
        guard let play else {
            if when != nil { throw ValidationError("--when says when to play: it goes with --play") }
            if then != nil { throw ValidationError("--then says what follows what was played: it goes with --play") }
            return
        }
        guard play.hasPrefix("tone:"), let then, then == .hangUp || then == .live else { return }
        throw ValidationError(
            "--then \(then.rawValue): a tone has no end that something could follow; --duration ends the call")
    }

    var script: CallScriptOptions {
        var options = CallScriptOptions()
        options.play = play
        options.moment = when ?? .answered
        options.afterPlaying = then ?? .silence
        options.record = record
        options.recordFormat = recordFormat
        options.dtmf = dtmf
        options.digitMode = dtmfMode
        options.duration = duration
        options.ringTimeout = ringTimeout
        options.headers = header
        options.expectedStatus = expectStatus
        options.expectedTone = expectTone
        options.expectedDigits = expectDTMF
        options.expectsSpeech = expectSpeech
        options.expectsSilence = expectSilence
        options.minimumMOS = minMOS
        options.maximumLoss = maxLoss
        options.maximumJitter = maxJitter
        options.maximumLatency = maxLatency
        return options
    }
}
