import FoundationEssentials
import Glibc
import Testing

/// Linphone's console phone in a namespace, with a sine for its microphone and everything that it hears kept in a file.
final class Linphone {
    static let tone = 440.0
    static let uri = "sip:linphone@\(NetworkNamespace.address):\(port)"
    private static let port = 5070

    let program: Program
    private let folder: TemporaryFolder
    private let commands: String
    private let recording: String

    /// Starts it, ready to be told what to do.
    ///
    /// - Parameters:
    ///   - sessionExpires: the interval that it asks for in its calls, in seconds (RFC 4028).
    ///   - password: what it shows in the realm of `ConfiguredCaller`.
    init(
        in namespace: NetworkNamespace, sessionExpires: Int = 1800, password: String = ConfiguredCaller.password
    ) async throws {
        let path = try Peer.require("linphonec")
        folder = try TemporaryFolder()
        recording = "\(folder.path)/heard.wav"
        // It asks the way to a public address for its own, and without one it is at 127.0.0.1.
        try await namespace.run("-n", namespace.name, "route", "replace", "default", "dev", "inside")
        // Its database must have a place, or it starts with a prompt and no sockets.
        try FileManager.default.createDirectory(
            atPath: "\(folder.path)/.local/share/linphone", withIntermediateDirectories: true)
        let configuration = try folder.write(
            Array(Self.configuration(sessionExpires: sessionExpires, password: password).utf8), as: "linphonerc")
        commands = try folder.write([], as: "commands")
        let microphone = try folder.write(Waveform.file(of: Self.tone, seconds: 20), as: "microphone.wav")
        let script =
            "tail -f -s 0.02 -n +1 '\(commands)' | HOME='\(folder.path)' stdbuf -oL '\(path)' -c '\(configuration)'"
        program = try Program(namespace.entry + ["bash", "-c", script])
        for command in ["soundcard use files", "play \(microphone)", "record \(recording)", "status register"] {
            try type(command)
        }
        _ = try await program.line("readiness") { $0.contains("registered=") }
    }

    deinit {
        program.signal(SIGKILL)
        try? FileManager.default.removeItem(atPath: folder.path)
    }

    /// Types a command on its console.
    func type(_ command: String) throws {
        let file = try #require(fopen(commands, "a"), "\(commands) can't be written")
        defer { fclose(file) }
        fputs("\(command)\n", file)
    }

    func says(_ words: String) async throws {
        _ = try await program.line(words) { $0.contains(words) }
    }

    /// Ends it, and tells what it heard.
    func heard() async throws -> Waveform {
        try type("quit")
        try await says("Terminating")
        return try Waveform(Data(contentsOf: URL(filePath: recording)))
    }

    private static func configuration(sessionExpires: Int, password: String) -> String {
        """
        [sip]
        sip_port=\(port)
        sip_tcp_port=\(port)
        sip_tls_port=-1
        guess_hostname=0
        contact=\(uri)
        session_expires_enabled=1
        session_expires_value=\(sessionExpires)

        [auth_info_0]
        username=linphone
        passwd=\(password)
        realm=\(ConfiguredCaller.realm)
        """
    }
}

extension Waveform {
    /// A WAV file with a sine.
    static func file(of frequency: Double, seconds: Int) -> [UInt8] {
        let rate = 16_000
        func number(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        let samples = (0..<seconds * rate).flatMap { index in
            number(Int(8_000 * sin(2 * Double.pi * frequency * Double(index) / Double(rate))), 2)
        }
        let format = number(16, 4) + number(1, 2) + number(1, 2) + number(rate, 4) + number(2 * rate, 4)
        return Array("RIFF".utf8) + number(36 + samples.count, 4) + Array("WAVEfmt ".utf8) + format + number(2, 2)
            + number(16, 2) + Array("data".utf8) + number(samples.count, 4) + samples
    }
}
