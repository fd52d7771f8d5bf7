import MediaRuntime
import Proofs
import Testing

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
