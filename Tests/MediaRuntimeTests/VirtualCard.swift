import Glibc
import VirtualSoundCard

/// The virtual card's plug-in, made known to ALSA under names of a test's own; and its lines.
final class VirtualCard: @unchecked Sendable {
    /// Where the phone's loudspeaker goes, and what its microphone hears. Mapped as long as this lives; the lines are
    /// written by single stores of samples, and a late one is only late sound.
    let loudspeaker: UnsafeMutablePointer<vcard_line>
    let microphone: UnsafeMutablePointer<vcard_line>
    let name: String
    /// The card with its microphone in its loudspeaker.
    var echoingName: String { "echoing_\(name)" }
    private let paths: [String]

    /// - Parameter name: `a` to `h`; the configuration knows these.
    init?(_ name: String) {
        guard Self.isConfigured else { return nil }
        self.name = "card_\(name)"
        paths = [Self.line(name, "out"), Self.line(name, "in")]
        for path in paths { unlink(path) }
        guard let loudspeaker = vcard_map(paths[0]), let microphone = vcard_map(paths[1]) else { return nil }
        (self.loudspeaker, self.microphone) = (loudspeaker, microphone)
    }

    deinit {
        vcard_unmap(loudspeaker)
        vcard_unmap(microphone)
        for path in paths { unlink(path) }
    }

    /// The card's sample that passes at an instant of the monotonic clock.
    static func sample(at nanoseconds: Int64) -> Int {
        Int((Double(nanoseconds) * 48_000 / 1e9).rounded())
    }

    /// Puts a sound on a line, from a sample of the card on.
    static func put(_ sound: [Int16], on line: UnsafeMutablePointer<vcard_line>, from start: Int) {
        withLine(line) { samples in
            for index in sound.indices { samples[(start + index) % samples.count] = sound[index] }
        }
    }

    /// What a line carries from a sample of the card on.
    static func take(_ count: Int, from line: UnsafeMutablePointer<vcard_line>, at start: Int) -> [Int16] {
        withLine(line) { samples in (0..<count).map { samples[(start + $0) % samples.count] } }
    }

    private static func withLine<T>(
        _ line: UnsafeMutablePointer<vcard_line>, _ body: (UnsafeMutableBufferPointer<Int16>) -> T
    ) -> T {
        let offset = MemoryLayout<vcard_line>.size - Int(vcard_samples) * 2
        let base = (UnsafeMutableRawPointer(line) + offset).assumingMemoryBound(to: Int16.self)
        return body(UnsafeMutableBufferPointer(start: base, count: Int(vcard_samples)))
    }

    // MARK: - Configuration

    private static func line(_ name: String, _ direction: String) -> String {
        "/dev/shm/offhook-test-\(getpid())-\(name)-\(direction)"
    }

    /// ALSA reads its configuration once a process: all cards are in it from the start.
    static let isConfigured: Bool = {
        guard let plugin = pluginPath else { return false }
        var text = "pcm_type.vcard { lib \"\(plugin)\" }\n"
        for letter in "abcdefgh" {
            let name = String(letter)
            text += """
                pcm.card_\(name) { type asym
                  playback.pcm { type vcard line "\(line(name, "out"))" }
                  capture.pcm { type vcard line "\(line(name, "in"))" } }
                pcm.echoing_card_\(name) { type asym
                  playback.pcm { type vcard line "\(line(name, "out"))" }
                  capture.pcm { type vcard line "\(line(name, "out"))" } }

                """
        }
        text += """
            pcm.server { type asym
              playback.pcm { type pulse server "unix:\(serverDirectory)/native" device "line" }
              capture.pcm { type pulse server "unix:\(serverDirectory)/native" device "line.monitor" } }

            """
        let path = "/dev/shm/offhook-test-\(getpid()).conf"
        guard let file = fopen(path, "w") else { return false }
        fputs(text, file)
        fclose(file)
        return setenv("ALSA_CONFIG_PATH", path, 1) == 0
    }()

    /// Where a sound server that a test starts has its socket.
    static let serverDirectory = "/tmp/offhook-test-\(getpid())-pulse"

    /// The plug-in lies where the tests were built.
    private static var pluginPath: String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return nil }
        let folders =
            [String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)]
            + CommandLine.arguments
        for start in folders {
            var parts = start.split(separator: "/").map(String.init)
            while !parts.isEmpty {
                parts.removeLast()
                let path = "/" + (parts + ["libVirtualSoundCard.so"]).joined(separator: "/")
                if access(path, R_OK) == 0 { return path }
            }
        }
        return nil
    }
}
