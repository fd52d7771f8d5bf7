/// Where audio comes from or goes to, as said on the command line and in the configuration:
/// `alsa[:DEVICE]`, `null`, `silence`, `tone:HZ[,DBFS]`, `file:PATH`, `stdio`, `echo`.
package enum AudioSpec: Hashable, Sendable {
    /// A sound card or plug-in, by its ALSA name.
    case alsa(String)
    /// Silence in, nothing out, paced by the system clock.
    case null
    case silence
    /// A sine: its frequency in Hz and its level in dBFS (0: a sine of full scale).
    case tone(hertz: Double, level: Double)
    /// Input: any format and rate that libsndfile reads. Output: a file that is written.
    case file(String)
    /// 16-bit little-endian mono at 48 kHz on stdin and stdout.
    case standardStreams
    /// What is received is sent back.
    case echo

    /// The level of a tone that names none.
    package static let standardToneLevel = -20.0
    /// The frequencies that all our codecs but G.711 carry.
    package static let toneFrequencies = 20.0...20_000.0
    package static let toneLevels = -90.0...0.0
}

/// Why a text is not an `AudioSpec`.
package struct AudioSpecError: Error, Equatable, CustomStringConvertible {
    package let text: String
    package let reason: String

    package var description: String { "audio '\(text)': \(reason)" }
}

extension AudioSpec: CustomStringConvertible {
    package init(parsing text: String) throws(AudioSpecError) {
        let colon = text.utf8.firstIndex(of: UInt8(ascii: ":"))
        let kind = String(text[..<(colon ?? text.endIndex)])
        let argument = colon.map { String(text[text.utf8.index(after: $0)...]) }
        func refuse(_ reason: String) -> AudioSpecError { AudioSpecError(text: text, reason: reason) }

        switch (kind, argument) {
        case ("alsa", nil): self = .alsa("default")
        case ("alsa", let device?):
            guard !device.isEmpty else { throw refuse("names no device after 'alsa:'") }
            self = .alsa(device)
        case ("tone", let argument?):
            let (hertz, level) = try Self.tone(argument, refuse)
            self = .tone(hertz: hertz, level: level)
        case ("tone", nil): throw refuse("needs a frequency in Hz: tone:440 or tone:440,-20")
        case ("file", let path?):
            guard !path.isEmpty else { throw refuse("names no file after 'file:'") }
            guard !path.utf8.contains(0) else { throw refuse("a path can't hold a NUL") }
            self = .file(path)
        case ("file", nil): throw refuse("needs a path: file:PATH")
        case ("null", nil): self = .null
        case ("silence", nil): self = .silence
        case ("stdio", nil): self = .standardStreams
        case ("echo", nil): self = .echo
        case ("null", _?), ("silence", _?), ("stdio", _?), ("echo", _?):
            throw refuse("'\(kind)' takes no argument")
        default:
            throw refuse("is none of alsa[:DEVICE], null, silence, tone:HZ[,DBFS], file:PATH, stdio, echo")
        }
    }

    private static func tone(
        _ argument: String, _ refuse: (String) -> AudioSpecError
    ) throws(AudioSpecError) -> (hertz: Double, level: Double) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count <= 2 else { throw refuse("has more than a frequency and a level") }
        guard let hertz = parts.first.flatMap({ Double($0) }), toneFrequencies.contains(hertz) else {
            throw refuse("the frequency must be a number from 20 to 20000 Hz")
        }
        guard parts.count == 2 else { return (hertz, standardToneLevel) }
        guard let level = Double(parts[1]), toneLevels.contains(level) else {
            throw refuse("the level must be a number from -90 to 0 dBFS")
        }
        return (hertz, level)
    }

    package var description: String {
        switch self {
        case .alsa(let device): "alsa:\(device)"
        case .null: "null"
        case .silence: "silence"
        case .tone(let hertz, let level): "tone:\(Self.number(hertz)),\(Self.number(level))"
        case .file(let path): "file:\(path)"
        case .standardStreams: "stdio"
        case .echo: "echo"
        }
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() ? "\(Int(value))" : "\(value)"
    }

    /// What `--audio SPEC` means for each direction: a spec that only gives audio has `null` beside it.
    package var bothDirections: (input: AudioSpec, output: AudioSpec) {
        switch self {
        case .silence, .tone, .file: (self, .null)
        case .alsa, .null, .standardStreams, .echo: (self, self)
        }
    }

    /// Whether audio can be sent to it.
    package var isOutput: Bool {
        switch self {
        case .silence, .tone: false
        case .alsa, .null, .file, .standardStreams, .echo: true
        }
    }
}
