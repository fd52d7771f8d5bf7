import FoundationEssentials
import Glibc
import Testing

/// baresip in a namespace, with a sine for its microphone and everything that it hears kept in a file.
final class Baresip {
    enum Codec: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case opus = "opus/48000/2"
        case g722 = "g722/16000/1"
        case pcmu = "pcmu/8000/1"
        case l16 = "L16/16000/1"

        /// As the phone's events name it, in lower case.
        var name: String { rawValue.split(separator: "/")[0].lowercased() }
        var testDescription: String { name }
    }

    /// The frequency of its sine.
    static let tone = 440.0
    static let uri = "sip:baresip@\(NetworkNamespace.address):5060"

    let program: Program
    private let namespace: NetworkNamespace
    private let folder: TemporaryFolder

    /// Starts it, ready to answer every call; with a target it calls that one at once.
    ///
    /// - Parameters:
    ///   - password: what it shows where it is asked who it is.
    ///   - contact: whom it writes to.
    init(
        in namespace: NetworkNamespace, codec: Codec, dialling target: String? = nil, password: String? = nil,
        contact: String? = nil
    ) async throws {
        let path = try Peer.require("baresip")
        self.namespace = namespace
        folder = try TemporaryFolder()
        _ = try folder.write(Array(Self.configuration(recordingsIn: folder.path).utf8), as: "config")
        let account =
            "<sip:baresip@\(NetworkNamespace.address)>;regint=0;answermode=auto"
            + (password.map { ";auth_user=baresip;auth_pass=\($0)" } ?? "")
        _ = try folder.write(Array("\(account);audio_codecs=\(codec.rawValue)\n".utf8), as: "accounts")
        let contacts = contact.map { "\"Phone\" <\($0)>\n" } ?? ""
        _ = try folder.write(Array(contacts.utf8), as: "contacts")
        // Its output would stay in a buffer until its end.
        var words = namespace.entry + ["stdbuf", "-oL", path, "-f", folder.path, "-v"]
        if let target { words += ["-e", "/dial \(target)"] }
        program = try Program(words)
        _ = try await program.line("readiness") { $0.contains("baresip is ready") }
    }

    deinit {
        for file in recordings { unlink(file) }
    }

    /// Waits until it has heard the end of a digit.
    func hears(digit: Character) async throws {
        _ = try await program.line("digit \(digit)") { $0.contains("received event: '\(digit)' (end=1)") }
    }

    /// Presses a key on its console, which in a call sends the digit until the key is let go: end of transmission.
    func press(_ digit: Character) async throws {
        let console = "/dev/udp/\(NetworkNamespace.address)/5555"
        let words = ["bash", "-c", "printf '\(digit)' > \(console); sleep 0.2; printf '\\004' > \(console)"]
        #expect(try await Program(namespace.entry + words).end() == 0)
    }

    /// Types a command on its console.
    func type(_ command: String) async throws {
        let words = ["bash", "-c", "printf '/\(command)\\n' > /dev/udp/\(NetworkNamespace.address)/5555"]
        #expect(try await Program(namespace.entry + words).end() == 0)
    }

    /// Ends it, and tells what it heard in its last call.
    func heard() async throws -> Waveform {
        program.signal(SIGTERM)
        _ = try await program.end()
        let file = try #require(recordings.last { $0.hasSuffix("-dec.wav") }, "\(program.written)")
        return try Waveform(Data(contentsOf: URL(filePath: file)))
    }

    private var recordings: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".wav") }.sorted().map { "\(folder.path)/\($0)" }
    }

    private static func configuration(recordingsIn folder: String) -> String {
        """
        poll_method epoll
        sip_listen \(NetworkNamespace.address):5060
        audio_source ausine,\(Int(tone))
        audio_player aufile,\(folder)/played.wav
        audio_alert aufile,\(folder)/alert.wav
        ausrc_srate 48000
        ausrc_channels 2
        auplay_srate 48000
        auplay_channels 2
        audio_level no
        rtp_ports 10000-10100
        cons_listen \(NetworkNamespace.address):5555
        snd_path \(folder)
        module_path \(modules)
        module cons.so
        module opus.so
        module g711.so
        module g722.so
        module l16.so
        module ausine.so
        module aufile.so
        module sndfile.so
        module_tmp account.so
        module_app contact.so
        module_app menu.so

        """
    }

    /// Where Debian puts them.
    private static let modules = "/usr/lib/baresip/modules"
}
