import AudioCodecs
import EngineKit
import MediaRuntime
import Proofs
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent
import Testing
import VoiceProcessing

@testable import OffhookApp

@Suite struct PhoneSettingsTests {
    private func fault(
        answering: AnsweringOptions? = nil, _ change: (inout PhoneOptions) -> Void = { _ in }
    ) -> StartFault? {
        var options = PhoneOptions()
        options.usesConfiguration = false
        options.audio = "null"
        change(&options)
        do {
            _ = try PhoneSettings(options, answering: answering)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [Int.min, -1, 0, 100_001, Int.max])
    func refusesCountsOfCallsThatNothingCanHold(count: Int) {
        var answering = AnsweringOptions()
        answering.maxCalls = count
        #expect(fault(answering: answering)?.line == "offhook: --max-calls: \(count) is not between 1 and 16\n")
        #expect(fault(answering: answering)?.exit == .usage)
    }

    @Test func refusesOptionsThatContradictEachOther() {
        #expect(fault { $0.configurationPath = "phone.toml" }?.exit == .usage)
    }

    @Test func refusesAFileWithoutAName() {
        let fault = fault {
            $0.usesConfiguration = true
            $0.configurationPath = ""
        }
        #expect(fault?.line == "offhook: --config: the name of a file is expected\n")
        #expect(fault?.exit == .usage)
    }

    @Test func listensOnceOnAnAddress() {
        #expect(
            fault { $0.listen = ["127.0.0.1:5090", "127.0.0.1:5090;transport=tcp"] }?.line
                == "offhook: --listen: '127.0.0.1:5090;transport=tcp' stands there twice\n")
        #expect(fault { $0.listen = ["127.0.0.1:5090;transport=udp", "127.0.0.1:5090;transport=tcp"] } == nil)
        #expect(fault { $0.listen = ["127.0.0.1:0", "127.0.0.1:0"] } == nil)
    }

    @Test func refusesATimeoutWithoutTime() {
        #expect(fault { $0.timeout = .zero }?.line == "offhook: --timeout: 0 leaves no time for anything\n")
    }

    @Test(arguments: ["192.0.2.0/33", "192.0.2.0/+24", "192.0.2.0/", "192.0.2", "everybody", "from:sip:bob@*", "from:"])
    func refusesARuleThatNamesNobodyForSure(rule: String) {
        var answering = AnsweringOptions()
        answering.allow = [rule]
        let fault = fault(answering: answering)
        #expect(fault?.exit == .usage && fault?.text.hasPrefix("--allow: '\(rule)' ") == true)
    }

    @Test func believesAFromWhereACallerCanProveIt() throws {
        let folder = try TemporaryDirectory()
        var options = PhoneOptions()
        options.configurationPath = try folder.write(
            "[[caller]]\nusername = \"gate\"\npassword = \"sesame\"", to: "config.toml")
        options.audio = "null"
        var answering = AnsweringOptions()
        answering.allow = ["from:sip:gate@*"]
        let settings = try PhoneSettings(options, answering: answering)
        #expect(settings.userAgent.automaticAnswer.from.map(\.description) == ["sip:gate@*"])
        #expect(settings.userAgent.callers.map(\.username) == ["gate"])
        #expect(!settings.userAgent.automaticAnswer.authenticated && !settings.userAgent.automaticAnswer.loopback)
    }

    private func voiceProcessing(
        _ list: String?, configured: String = "", audio: String = "alsa"
    ) throws -> VoiceFeatures {
        let folder = try TemporaryDirectory()
        var options = PhoneOptions()
        options.configurationPath = try folder.write("[audio]\n\(configured)\n", to: "config.toml")
        options.audio = audio
        options.voiceProcessing = list
        return try PhoneSettings(options).voiceProcessing
    }

    @Test func processesTheVoiceAsIsWanted() throws {
        #expect(try voiceProcessing(nil) == [])
        #expect(try voiceProcessing("echo, gain") == [.echoCancellation, .gainControl])
        let configured = "voice_processing = ['noise', 'echo']"
        #expect(try voiceProcessing(nil, configured: configured) == [.echoCancellation, .noiseSuppression])
        #expect(try voiceProcessing("gain", configured: configured) == .gainControl)
        #expect(try voiceProcessing("none", configured: configured) == [])
        // Of a configuration that is for a microphone nothing is left to do without one.
        #expect(try !voiceProcessing(nil, configured: configured, audio: "null").isEmpty)
    }

    @Test(arguments: [
        ("ecko", "alsa", "'ecko' is none of echo, noise, gain; did you mean 'echo'?"),
        ("", "alsa", "'' is none of echo, noise, gain"),
        ("echo,", "alsa", "'' is none of echo, noise, gain"),
        ("echo", "null", "'null' is not a microphone"),
        ("echo", "file:speech.wav", "'file:speech.wav' is not a microphone"),
    ])
    func refusesVoiceProcessingThatCannotBe(list: String, audio: String, problem: String) {
        let fault = fault {
            $0.audio = audio
            $0.voiceProcessing = list
        }
        #expect(fault?.line == "offhook: --voice-processing: \(problem)\n")
        #expect(fault?.exit == .usage)
    }

    @Test func sendsAsIsWanted() throws {
        let folder = try TemporaryDirectory()
        var options = PhoneOptions()
        options.configurationPath = try folder.write(
            "[media]\nopus = 'bitrate=20000,fec=off'\nptime = 40\n", to: "config.toml")
        options.audio = "null"
        let configured = try PhoneSettings(options)
        #expect(configured.opus == OpusSettings(bitRate: 20_000, usesInBandFEC: false))
        #expect(configured.packetTime == 40 && configured.userAgent.capabilities.ptime == 40)
        (options.opus, options.packetTime) = ("complexity=0", 10)
        let asked = try PhoneSettings(options)
        #expect(asked.opus == OpusSettings(complexity: 0) && asked.packetTime == 10)
        #expect(fault { $0.opus = "fec=1" }?.line == "offhook: --opus: fec: '1' is not on or off\n")
        #expect(fault { $0.packetTime = 121 }?.line == "offhook: --ptime: 121 is not between 3 and 120\n")
    }

    private func settings(of account: String) throws -> PhoneSettings {
        let folder = try TemporaryDirectory()
        var options = PhoneOptions()
        options.configurationPath = try folder.write(
            "[[account]]\naddress = '\"Alice\" <sip:alice@example.com>'\n\(account)\n", to: "config.toml")
        options.audio = "null"
        return try PhoneSettings(options)
    }

    @Test(
        .proves(.rule(2)),
        arguments: [
            ("off", Account.AnswerWishPolicy.ignored), ("trusted", .trusted), ("privileged", .privileged),
        ])
    func meetsWishesToBeAnsweredAsTheAccountSays(word: String, policy: Account.AnswerWishPolicy) throws {
        let settings = try settings(of: "answer_mode = \"\(word)\"")
        #expect(settings.userAgent.accounts.map(\.answerWishes) == [policy])
        // Who is let in is what the rules of automatic answer say, and without a wish to meet nobody is.
        #expect(settings.userAgent.automaticAnswer == (policy == .ignored ? .off : .standard))
    }

    /// Passwords that can't be had of: nobody who is asked by a server, an account that registers, and a caller.
    private func fault(using use: PhoneSettings.AccountUse, account: String? = nil) throws -> String? {
        let directory = try TemporaryDirectory()
        let path = try directory.write(
            """
            [[account]]
            address = 'sip:a@192.0.2.1'
            name = 'plain'
            peer_to_peer = true
            password_env = 'NO_SUCH_A'
            [[account]]
            name = 'work'
            address = 'sip:b@example.com'
            password_env = 'NO_SUCH_B'
            [[caller]]
            username = 'c'
            password_env = 'NO_SUCH_C'
            """, to: "config.toml")
        var options = PhoneOptions()
        options.configurationPath = path
        options.audio = "null"
        options.account = account
        do {
            _ = try PhoneSettings(options, using: use)
            return nil
        } catch {
            #expect(error.exit == .configuration)
            return error.text.replacing(path, with: "F")
        }
    }

    @Test func fetchesThePasswordsThatACommandNeedsAndSaysWhereThoseStandThatItCanNotGet() throws {
        let work = "F:9:16: account[2]: password_env NO_SUCH_B is not set"
        #expect(try fault(using: .chosen) == nil)
        #expect(try fault(using: .chosen, account: "work") == work)
        #expect(try fault(using: .registering) == work)
        #expect(try fault(using: .registering, account: "plain") == nil)
        #expect(try fault(using: .all) == work)
    }

    @Test func refusesAnAnswerModeThatIsNone() throws {
        #expect(throws: StartFault.self) { try settings(of: "answer_mode = \"always\"") }
    }

    @Test func tellsWhomThePersonWritesToOnlyWhereTheAccountSaysSo() throws {
        #expect(try settings(of: "").composers.isEmpty)
        #expect(try settings(of: "composing = true").composers == [AccountID(rawValue: 0)])
    }

    /// The INVITE that a call of the first account begins with.
    private func invite(_ settings: PhoneSettings) throws -> String {
        let local = try #require(SocketAddress("192.0.2.1:5060"))
        let remote = try #require(SocketAddress("192.0.2.9:5060"))
        var core = UserAgentCore(configuration: settings.userAgent, random: RandomSource(seed: 1))
        core.receive(.listening([Listener(transport: .udp, address: local)]), at: .zero)
        let call = OutgoingCall(target: try URI(parsing: "sip:bob@example.net"), media: LocalMedia(rtpPort: 16384))
        core.perform(.call(CallHandle(rawValue: 1), call), at: .zero)
        while let output = core.nextOutput() {
            switch output {
            case .resolve(let id, _):
                core.receive(
                    .resolved(id, [Destination(transport: .tcp, remote: remote, local: local)]), at: .zero)
            case .transmit(let transmit): return String(decoding: transmit.bytes, as: UTF8.self)
            default: break
            }
        }
        return ""
    }

    @Test(.proves(.clause("RFC 3323 §4.1.1.3"), .clause("RFC 3325 §6")))
    func keepsToItselfWhoCallsWhereTheAccountSaysSo() throws {
        let open = try invite(settings(of: "privacy = false"))
        #expect(open.contains("From: \"Alice\" <sip:alice@example.com>") && !open.contains("Privacy:"))
        let anonymous = try invite(settings(of: "privacy = true"))
        #expect(anonymous.contains("\r\nPrivacy: id\r\n") && anonymous.contains("sip:anonymous@anonymous.invalid"))
        #expect(!anonymous.contains("alice") && !anonymous.contains("P-Preferred-Identity"))
        // A proxy that knows us may vouch for us.
        let behindProxy = try invite(settings(of: "privacy = true\nproxy = \"sip:proxy.example.com\""))
        #expect(behindProxy.contains("\r\nP-Preferred-Identity: \"Alice\" <sip:alice@example.com>\r\n"))
        #expect(behindProxy.contains("\r\nPrivacy: id\r\n"))
    }

    @Test(arguments: ["192.0.2.0/24", "192.0.2.7", "2001:db8::/32", "account", "loopback"])
    func takesNetworksAddressesAndTheTwoWords(rule: String) {
        var answering = AnsweringOptions()
        answering.allow = [rule]
        #expect(fault(answering: answering) == nil)
    }

    @Test(arguments: ["", "sip:", "http://192.0.2.7", "tel:+15551", "sip:a b", "192.0.2.7:99999"])
    func refusesAProxyThatIsNoServer(proxy: String) {
        let fault = fault { $0.proxy = proxy }
        #expect(fault?.exit == .usage && fault?.text.hasPrefix("--proxy: '\(proxy)' ") == true)
    }

    @Test(arguments: ["192.0.2.7", "192.0.2.7:5070", "SIP:pbx.example;transport=tcp", "sips:pbx.example", "[::1]:5070"])
    func takesAProxyAsAURIOrAHost(proxy: String) {
        #expect(fault { $0.proxy = proxy } == nil)
    }

    /// What is quoted from an argument can neither obey a terminal nor fill it.
    @Test(.proves(.rule(20)))
    func tellsAFaultInOneHarmlessLine() throws {
        let hostile = "\u{1B}]0;x\u{7}\r\n" + String(repeating: "a", count: 100_000)
        let line = try #require(fault { $0.proxy = hostile }?.line)
        #expect(line.utf8.count < 1100)
        #expect(line.hasPrefix("offhook: --proxy: '"))
        #expect(!line.dropLast().unicodeScalars.contains { $0.properties.generalCategory == .control })
    }

    @Test func tellsEachFaultOfAConfigurationOnItsLine() {
        let fault = StartFault(.configuration, "a.toml:1:1: x\na.toml:2:1: y\u{1B}[2J")
        #expect(fault.line == "offhook: a.toml:1:1: x\na.toml:2:1: y[2J\n")
    }
}
