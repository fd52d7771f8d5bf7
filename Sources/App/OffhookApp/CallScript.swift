import EngineKit
import MediaRuntime
import SIPMessages
import SIPUserAgent

/// What a call does on its own: what it plays, records, sends and expects. Without a script a person decides.
package struct CallScript: Sendable {
    /// What follows the end of what was played.
    package typealias AfterPlaying = PlaySpec.Afterwards
    package typealias RecordFormat = RecordSpec.Format

    package enum PlayMoment: String, CaseIterable, Sendable {
        case answered, early
    }

    /// A file or a tone.
    package var play: AudioSpec?
    package var moment = PlayMoment.answered
    package var afterPlaying = PlaySpec.Afterwards.silence
    package var recordPath: String?
    package var recordFormat = RecordSpec.Format.stereo
    /// As `DigitStep` reads it: digits, `,` and `w`.
    package var digits = ""
    package var digitMode = DigitMode.auto
    package var duration: Duration?
    package var ringTimeout: Duration?
    package var headers = Headers()
    package var expectedStatus: StatusCode?
    /// Hertz.
    package var expectedTone: Double?
    package var expectedDigits: String?
    package var expectsSpeech = false
    /// Nothing may be heard after the answer.
    package var expectsSilence = false
    package var quality = QualityRequirements()
    package var echoes = false
    package var transfer: Transfer?
    /// How many targets of a 3xx are tried.
    package var redirections = 0

    /// Whom the peer is passed on to after the answer.
    package enum Transfer: Hashable, Sendable {
        case blind(URI)
        /// After a call of our own to that address was answered.
        case attended(URI)
    }

    package init() {}
}

extension CallScript {
    /// What is wrong with an argument, for the person who wrote it.
    package struct Fault: Error, Equatable {
        package var option: String
        package var problem: String
        /// Whether the fault is in a file that the option names, and not in the option.
        package var isInFile = false
    }

    package init(_ options: CallScriptOptions) throws(Fault) {
        if let play = options.play { self.play = try Self.playSource(play) }
        moment = options.moment
        afterPlaying = options.afterPlaying
        recordPath = options.record
        if recordPath == "" { throw Fault(option: "--record", problem: "names no file") }
        recordFormat = options.recordFormat ?? .stereo
        if options.recordFormat != nil, recordPath == nil {
            throw Fault(option: "--record-format", problem: "there is no --record")
        }
        if let text = options.dtmf {
            let steps: [DigitStep]
            do {
                steps = try DigitStep.parse(text)
            } catch {
                throw Fault(option: "--dtmf", problem: error.description)
            }
            guard steps.count <= DigitStep.waitingLimit else {
                throw Fault(
                    option: "--dtmf",
                    problem: "\(steps.count) digits and pauses are more than \(DigitStep.waitingLimit), which can wait")
            }
            digits = text
        }
        digitMode = options.digitMode
        guard (0...OutgoingCall.redirectionLimit).contains(options.redirections) else {
            throw Fault(
                option: "--redirections",
                problem: "\(options.redirections) is not between 0 and \(OutgoingCall.redirectionLimit)")
        }
        redirections = options.redirections
        duration = options.duration
        ringTimeout = options.ringTimeout
        if ringTimeout == .zero { throw Fault(option: "--ring-timeout", problem: "0 leaves no time to answer") }
        headers = try Self.headers(options.headers)
        if let status = options.expectedStatus {
            guard (200...699).contains(status), let code = StatusCode(status) else {
                throw Fault(option: "--expect-status", problem: "\(status) is no final status (200 to 699)")
            }
            expectedStatus = code
        }
        if let hertz = options.expectedTone {
            guard AudioSpec.toneFrequencies.contains(hertz) else {
                throw Fault(option: "--expect-tone", problem: "\(hertz) Hz is not between 20 and 20000 Hz")
            }
            expectedTone = hertz
        }
        if let digits = options.expectedDigits {
            guard !digits.isEmpty, digits.allSatisfy({ Self.isDigit($0) }) else {
                throw Fault(
                    option: "--expect-dtmf", problem: "'\(digits)' holds something other than 0-9, *, # and A-D")
            }
            guard digits.utf8.count <= HeardDigits.limit else {
                throw Fault(option: "--expect-dtmf", problem: "more than \(HeardDigits.limit) digits")
            }
            expectedDigits = digits.uppercased()
        }
        expectsSpeech = options.expectsSpeech
        expectsSilence = options.expectsSilence
        quality = try Self.quality(options)
    }

    private static func quality(_ options: CallScriptOptions) throws(Fault) -> QualityRequirements {
        var quality = QualityRequirements()
        if let text = options.minimumMOS {
            guard let opinion = Double(plain: text), QualityRequirements.opinions.contains(opinion) else {
                throw Fault(option: "--min-mos", problem: "'\(text)' is not between 1 and 4.5")
            }
            quality.minimumMOS = opinion
        }
        if let text = options.maximumLoss {
            guard let percentage = Double(percentage: text) else {
                throw Fault(option: "--max-loss", problem: "'\(text)' is no percentage, such as 0.5%")
            }
            quality.maximumLoss = percentage
        }
        quality.maximumJitter = options.maximumJitter
        quality.maximumLatency = options.maximumLatency
        return quality
    }

    /// Reads `tone:HZ[,DBFS]`, `file:PATH` or a path.
    static func playSource(_ text: String) throws(Fault) -> AudioSpec {
        let isSpec = text.hasPrefix("tone:") || text.hasPrefix("file:")
        do {
            return try AudioSpec(parsing: isSpec ? text : "file:\(text)")
        } catch {
            throw Fault(option: "--play", problem: error.reason)
        }
    }

    static func isDigit(_ character: Character) -> Bool {
        "0123456789*#ABCDabcd".contains(character)
    }

    /// Headers that the phone itself must write: another value would break the dialog or its framing, or be written over.
    private static let ownHeaders: Set<String> = [
        "via", "v", "from", "f", "to", "t", "call-id", "i", "cseq", "max-forwards", "contact", "m", "content-length",
        "l",
        "content-type", "c", "route", "record-route", "authorization", "proxy-authorization", "allow", "user-agent",
        "server", "recv-info",
    ]

    /// Half of what a message may hold: the other half is for the phone's own.
    private static let headerLimit = MessageLimits.standard.headerFields / 2

    /// Reads `Name: value` texts.
    static func headers(_ texts: [String]) throws(Fault) -> Headers {
        var headers = Headers()
        for text in texts { try append(text, to: &headers) }
        guard texts.count <= headerLimit else {
            throw Fault(option: "--header", problem: "\(texts.count) of them are more than \(headerLimit)")
        }
        return headers
    }

    private static func append(_ header: String, to headers: inout Headers) throws(Fault) {
        guard let colon = header.firstIndex(of: ":") else {
            throw Fault(option: "--header", problem: "'\(header)' is not 'Name: value'")
        }
        let name = header[..<colon].trimmed
        guard let headerName = HeaderName(name) else {
            throw Fault(option: "--header", problem: "'\(name)' is no header name")
        }
        guard !ownHeaders.contains(name.lowercased()) else {
            throw Fault(option: "--header", problem: "\(name) is written by the phone itself")
        }
        guard header.utf8.count <= MessageLimits.standard.headerField else {
            throw Fault(
                option: "--header",
                problem: "\(name) is longer than \(MessageLimits.standard.headerField) octets, the most that peers take"
            )
        }
        do {
            try headers.append(headerName, header[header.index(after: colon)...].trimmed)
        } catch {
            throw Fault(option: "--header", problem: "the value of \(name) holds a line end or NUL")
        }
    }
}

extension CallScript {
    /// What the media engine has to know of the script.
    var mediaOptions: MediaCallOptions {
        MediaCallOptions(
            play: play.map { PlaySpec($0, afterwards: afterPlaying) }, waitsForCue: true,
            recording: recordPath.map { RecordSpec($0, format: recordFormat) },
            echoes: echoes,
            listening: Listening(tone: expectedTone, speech: expectsSpeech, sound: expectsSilence))
    }
}

extension StringProtocol {
    /// The text without the spaces and tabs around it.
    var trimmed: String {
        var text = self[...]
        while let first = text.first, first == " " || first == "\t" { text = text.dropFirst() }
        while let last = text.last, last == " " || last == "\t" { text = text.dropLast() }
        return String(text)
    }
}
