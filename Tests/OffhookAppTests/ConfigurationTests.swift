import EngineKit
import Proofs
import SDP
import SIPMessages
import SIPRuntime
import SIPUserAgent
import Testing

@testable import OffhookApp

struct ConfigurationTests {
    private func read(_ text: String, mode: UInt32 = 0o600) throws(ConfigurationError) -> OffhookConfiguration {
        let file = ConfigurationFile(path: "/etc/phone/config.toml", bytes: Array(text.utf8), mode: mode)
        return try OffhookConfiguration(file) { $0 == "HOME" ? "/home/alice" : nil }
    }

    /// What a broken file is told, a line a fault, without the path.
    private func faults(_ text: String, mode: UInt32 = 0o600) -> [String] {
        do {
            _ = try read(text, mode: mode)
            return []
        } catch {
            return error.description.split(separator: "\n").map { line in
                #expect(line.hasPrefix("/etc/phone/config.toml:"))
                return String(line.dropFirst("/etc/phone/config.toml:".count))
            }
        }
    }

    @Test(.proves(.rule(22), .incident(56)), arguments: ["name", "username", "realm", "password"])
    func refusesControlCharactersInATextWithoutShowingIt(key: String) {
        let text = """
            [[account]]
            address = "sip:alice@example.com"
            \(key) = "secret\\r\\nVia: x"
            """
        let start = 4 + key.count
        #expect(faults(text) == ["3:\(start): account[1].\(key): holds a control character"])
    }

    @Test func refusesAnAccountWithoutAName() {
        let text = "[[account]]\nname = \"\"\naddress = \"sip:alice@example.com\""
        #expect(faults(text) == ["2:8: account[1].name: is empty"])
    }

    @Test func readsEverySetting() throws {
        let configuration = try read(
            """
            [[account]]
            name = "work"
            address = '"Alice A." <sip:alice@example.com>'
            registrar = "sip:registrar.example.com:5070"
            username = "alice1"
            realm = "example.com"
            password_command = ["pass", "sip/work"]
            transport = "tcp"
            answer = "auto"
            proxy = "sip:192.0.2.9;lr"
            expires = 600
            sources = ["192.0.2.0/24", "2001:db8::1"]
            peer_to_peer = true

            [[account]]
            address = "bob@example.org"
            password_file = "~/secret"

            [audio]
            input = "alsa:hw:1"
            output = "null"
            ring = "alsa"

            [sip]
            listen = ["127.0.0.1:0", "[::1]:5070;transport=tcp"]
            limits = "trusted"
            max_calls = 4
            reliable_provisionals = "required"
            session_timer = "wanted"
            session_expires = 600
            min_session_expires = 120
            dns_servers = ["192.0.2.53", "[2001:db8::53]:5353"]

            [media]
            codecs = ["PCMU", "opus"]
            rtp_ports = "20000-20100"

            [[contact]]
            name = "Carol"
            address = "sip:carol@example.net"

            [[contact]]
            name = "Desk"
            address = "tel:+49-30-1234"
            """)
        let work = try #require(configuration.accounts.first)
        #expect(work.name == "work")
        #expect(work.address.displayName == "Alice A.")
        #expect(work.registrars.first?.description == "sip:registrar.example.com:5070")
        #expect(work.username == "alice1")
        #expect(work.realm == "example.com")
        #expect(work.password == .command(["pass", "sip/work"]))
        #expect(work.transport == .tcp)
        #expect(work.answer == .automatic)
        #expect(work.proxies.first?.description == "sip:192.0.2.9;lr")
        #expect(work.expires == 600)
        #expect(work.sources.count == 2)
        #expect(work.sources[0].contains(.v4(0xc000_02fe)))
        #expect(!work.sources[0].contains(.v4(0xc000_0301)))
        #expect(work.sources[1].prefix == 128)
        for text in ["192.0.2.0/-0", "192.0.2.0/+24", "192.0.2.0/024", "192.0.2.0/33", "192.0.2.0/", "192.0.2.0/ 8"] {
            #expect(AddressRange(text) == nil, "\(text)")
        }
        #expect(work.isPeerToPeer)
        let bob = configuration.accounts[1]
        #expect(bob.name == "bob")
        #expect(bob.registrars.first?.description == "sip:example.org")
        #expect(bob.password == .file("/home/alice/secret"))
        #expect(configuration.audio.input == .alsa("hw:1"))
        #expect(configuration.audio.output == .null)
        #expect(configuration.audio.ring == .alsa("default"))
        #expect(configuration.sip.listen.map(\.address.description) == ["127.0.0.1:0", "[::1]:5070"])
        #expect(configuration.sip.listen[1].transports == [.tcp])
        #expect(configuration.sip.limits == .trusted)
        #expect(configuration.sip.maximumCalls == 4)
        #expect(configuration.sip.reliableProvisionals == .required)
        #expect(configuration.sip.sessionTimer == .wanted)
        #expect(configuration.sip.sessionExpires == 600 && configuration.sip.minimumSessionExpires == 120)
        #expect(configuration.sip.nameServers.map(\.description) == ["192.0.2.53:53", "[2001:db8::53]:5353"])
        #expect(configuration.media.codecs == [.pcmu, .opus])
        #expect(configuration.media.rtpPorts?.description == "20000-20100")
        #expect(configuration.contacts.map(\.name) == ["Carol", "Desk"])
        #expect(configuration.contacts[1].address.description == "tel:+49-30-1234")
    }

    @Test func readsCallersWithTheRealmOfTheAccountThatTheyReach() throws {
        let callers = try read(
            """
            [[account]]
            address = "sip:alice@example.com"
            [[account]]
            address = "sip:door@building.example"
            peer_to_peer = true
            [[caller]]
            username = "gate"
            password = "sesame"
            [[caller]]
            username = "gate"
            realm = "elsewhere.example"
            password_env = "GATE"
            """
        ).callers
        #expect(callers.map(\.realm) == ["building.example", "elsewhere.example"])
        let credentials = try #require(callers.first).credentials { _ in nil }
        #expect(credentials.username == "gate" && credentials.password == Secret("sesame"))
        #expect(throws: PasswordError.variableMissing("GATE")) { try callers.last?.credentials { _ in nil } }
    }

    @Test(arguments: [
        ("[[caller]]\npassword = \"x\"", "1:1: caller[1].username: is missing: whom the credentials of a caller name"),
        (
            "[[caller]]\nusername = \"a\"",
            "1:1: caller[1].password: is missing; password_command, password_file and password_env do as well"
        ),
        (
            "[[caller]]\nusername = \"a\"\npassword = \"x\"\n[[caller]]\nusername = \"a\"\npassword = \"y\"",
            "5:12: caller[2].username: another caller has this name and realm"
        ),
        (
            "[[account]]\naddress = \"sip:a@b\"\n[[caller]]\nusername = \"a\"\npassword = \"x\"",
            "4:12: caller[1].username: no such caller gets here: every account is reached by its registrar alone; "
                + "an account with peer_to_peer = true takes calls from anywhere"
        ),
    ])
    func refusesCallersOfNoUse(text: String, expected: String) {
        #expect(faults(text) == [expected])
    }

    @Test func anEmptyFileSaysNothing() throws {
        let configuration = try read("# nothing yet\n")
        #expect(configuration.accounts.isEmpty && configuration.contacts.isEmpty && configuration.sip.listen.isEmpty)
    }

    @Test func aPeerToPeerAccountRegistersOnlyWhereItSaysSo() throws {
        #expect(try read("[[account]]\naddress = 'a@b.c'\npeer_to_peer = true\n").accounts[0].registrars.isEmpty)
        let both = try read("[[account]]\naddress = 'a@b.c'\npeer_to_peer = true\nregistrar = 'b.c'\n")
        #expect(both.accounts[0].registrars.first?.description == "sip:b.c")
    }

    @Test func readsSeveralServersAndHowTheirFlowsAreKept() throws {
        let text = """
            [[account]]
            address = "a@b.c"
            registrar = ["one.b.c", "two.b.c:5070"]
            proxy = ["sip:edge1.b.c;lr", "edge2.b.c"]
            outbound = false
            keep_alive = 20
            """
        let configured = try #require(try read(text).accounts.first)
        let account = try configured.account(id: AccountID(rawValue: 0))
        #expect(account.registrars.map(\.description) == ["sip:one.b.c", "sip:two.b.c:5070"])
        #expect(account.proxies.map(\.description) == ["sip:edge1.b.c;lr", "sip:edge2.b.c"])
        #expect(!account.isOutbound && account.keepAlive == .every(.seconds(20)))
        #expect(try read("[[account]]\naddress = 'a@b.c'\nkeep_alive = 0\n").accounts[0].keepAlive == .off)
        #expect(throws: ConfigurationError.self) { try read("[[account]]\naddress = 'a@b.c'\nkeep_alive = 4\n") }
    }

    @Test func makesAnAccountWithItsPassword() throws {
        let configured = try read("[[account]]\naddress = 'sip:alice@b.c'\npassword_env = 'SIP_PW'\n").accounts[0]
        let account = try configured.account(id: AccountID(rawValue: 3)) { $0 == "SIP_PW" ? "swordfish\n" : nil }
        #expect(account.credentials?.username == "alice")
        #expect(account.credentials?.password == Secret("swordfish"))
        #expect(account.id.rawValue == 3)
        #expect(throws: PasswordError.variableMissing("SIP_PW")) {
            try configured.account(id: AccountID(rawValue: 3)) { _ in nil }
        }
    }

    @Test(arguments: [
        ("adress = 'a@b.c'", "2:1: account[1].adress: unknown key; did you mean `address`?"),
        (
            "adress = 'a@b.c'",
            "1:1: account[1].address: is missing: the account's SIP URI, such as sip:alice@example.com"
        ),
        ("address = 'a@b.c'\nxyzzy = 1", "3:1: account[1].xyzzy: unknown key"),
        (
            "address = 'a@b.c'\n[media]\ncodecs = []",
            "4:10: media.codecs: names no codec; without the key all are spoken"
        ),
        (
            "address = 'a@b.c'\n[sip]\nsession_expires = 200\nmin_session_expires = 300",
            "5:23: sip.min_session_expires: 300 is above 200, which session_expires says"
        ),
        (
            "address = 'a@b.c'\n[sip]\nmin_session_expires = 3600",
            "4:23: sip.min_session_expires: 3600 is above 1800, which session_expires is without a word"
        ),
        ("address = 5", "2:11: account[1].address: a text is expected, not a whole number"),
        ("address = 'sip:'", "2:11: account[1].address: \"sip:\" is not a SIP or tel URI"),
        (
            "address = \"sip:a@b.c\\r\\nX: y\"",
            "2:11: account[1].address: holds a control character"
        ),
        ("address = 'a@b.c'\nanswer = 'aks'", "3:10: account[1].answer: \"aks\" is not known; did you mean \"ask\"?"),
        (
            "address = 'a@b.c'\nanswer = 'never'",
            "3:10: account[1].answer: \"never\" is not known; it is one of ask, auto, busy"
        ),
        ("address = 'a@b.c'\nexpires = 5", "3:11: account[1].expires: 5 is not in 60...86400"),
        (
            "address = 'a@b.c'\ntransport = 'tls'",
            "3:13: account[1].transport: \"tls\" is not spoken by this version; udp and tcp are"
        ),
        (
            "address = 'a@b.c'\nsources = ['10.0.0.0/33']",
            "3:11: account[1].sources: \"10.0.0.0/33\" is not a network such as 192.0.2.0/24"
        ),
        ("address = 'a@b.c'\nsources = [4]", "3:12: account[1].sources: a text is expected, not a whole number"),
        (
            "address = 'a@b.c'\npeer_to_peer = 'yes'",
            "3:16: account[1].peer_to_peer: true or false is expected, not a text"
        ),
        (
            "address = 'a@b.c'\npassword_command = []",
            "3:20: account[1].password_command: a program is expected, such as [\"pass\", \"sip/work\"]"
        ),
        (
            "address = 'a@b.c'\npassword = 'x'\npassword_env = 'Y'",
            "4:16: account[1].password_env: only one of password, password_env can hold the password"
        ),
        (
            "address = 'a@b.c'\n[[account]]\nname = 'a'\naddress = 'a@b.d'",
            "4:8: account[2].name: another account has this name"
        ),
        (
            "address = 'a@b.c'\n[sip]\nlisten = 'here'",
            "4:10: sip.listen: \"here\" is not ADDRESS:PORT[;transport=udp|tcp]"
        ),
        (
            "address = 'a@b.c'\n[media]\ncodecs = ['opsu']",
            "4:10: media.codecs: \"opsu\" is not known; did you mean \"opus\"?"
        ),
        (
            "address = 'a@b.c'\n[media]\nopus = 'fec=1'", "4:8: media.opus: fec: '1' is not on or off"
        ),
        ("address = 'a@b.c'\n[media]\nptime = 2", "4:9: media.ptime: 2 is not in 3...120"),
        (
            "address = 'a@b.c'\n[audio]\nvoice_processing = ['nose']",
            "4:20: audio.voice_processing: \"nose\" is not known; did you mean \"noise\"?"
        ),
        (
            "address = 'a@b.c'\n[media]\nrtp_ports = '7-7'",
            "4:13: media.rtp_ports: \"7-7\" is not LOW-HIGH with room for two ports"
        ),
        ("address = 'a@b.c'\n[[contacts]]", "3:3: contacts: unknown key; did you mean `contact`?"),
        (
            "address = 'a@b.c'\n[contact]\nname = 'x'",
            "3:1: contact: a list of tables, [[contact]] is expected, not a table"
        ),
        ("address = ", "2:11: "),
    ])
    func saysWhatIsWrongAndWhere(lines: String, expected: String) {
        let faults = faults("[[account]]\n\(lines)\n")
        #expect(faults.contains { $0.hasPrefix(expected) }, "\(faults)")
    }

    @Test func collectsEveryFaultInTheOrderOfTheText() {
        let faults = faults(
            "[sip]\nlimits = 'none'\n[audio]\nmicrophone = 'x'\ninput = 'bogus'\noutput = 'tone:440'\n[media]\ncodecs = 3\n"
        )
        #expect(faults.map { $0.prefix(2) } == ["2:", "4:", "5:", "6:", "8:"], "\(faults)")
    }

    @Test(arguments: [
        ("[sip]\ndns_servers = ['x', 'x']\n", 1), ("[[caller]]\nusername = 'carol'\npassword = 3\n", 1),
        ("[media]\ncodecs = ['x', 'x', 'y']\n", 2),
    ])
    func tellsEachFaultOnce(text: String, count: Int) {
        #expect(faults(text).count == count, "\(faults(text))")
    }

    @Test(.proves(.rule(18)))
    func refusesASecretThatOthersCanRead() {
        let secret = "[[account]]\naddress = 'a@b.c'\npassword = 'swordfish'\n"
        #expect(faults(secret).isEmpty)
        for mode: UInt32 in [0o640, 0o604, 0o644] {
            let faults = faults(secret, mode: mode)
            #expect(faults.count == 1)
            #expect(faults[0].hasPrefix("3:12: account[1].password: others can read this file (mode "))
            #expect(faults[0].hasSuffix("chmod 600 /etc/phone/config.toml"))
            #expect(!faults[0].contains("swordfish"))
        }
        // Without a secret in it the file may be open to all.
        #expect(faults("[[account]]\naddress = 'a@b.c'\npassword_env = 'X'\n", mode: 0o644).isEmpty)
        // Whoever can change the file could name a program of theirs.
        let command = "[[account]]\naddress = 'a@b.c'\npassword_command = ['pass']\n"
        #expect(faults(command, mode: 0o644).isEmpty)
        #expect(faults(command, mode: 0o664)[0].contains("others can change this file"))
    }

    @Test(.proves(.incident(31)))
    func takesAnyBytes() {
        var random = RandomSource(seed: 11)
        let text =
            "[[account]]\naddress = 'a@b.c'\nsources = ['10.0.0.0/8']\nexpires = 77\n[sip]\nlisten = '1.2.3.4:5'\n"
        for _ in 0..<2_000 {
            var bytes = Array(text.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            do {
                _ = try OffhookConfiguration(ConfigurationFile(path: "c", bytes: bytes))
            } catch {
                #expect(!error.faults.isEmpty)
                #expect(error.description.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 })
            }
        }
    }
}
