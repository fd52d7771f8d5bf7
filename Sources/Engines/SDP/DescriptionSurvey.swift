/// Every rule of RFC 8866 that a session description breaks, for who writes one: the parser stops at the first fault
/// that it can't go on with, and passes over the others.
package struct DescriptionSurvey {
    private var faults: [DescriptionFault] = []
    /// The letters that stood in the section that is being read.
    private var letters: Set<Letter> = []
    private var lastLetter: Letter?
    private var hasDirection = false
    private var sessionHasConnection = false
    private var media: MediaSurvey?

    private init() {}

    /// In the order of the lines; what no one line is to blame for comes last. None where nothing is wrong.
    package static func faults(in bytes: [UInt8], limits: SDPLimits = .standard) -> [DescriptionFault] {
        var survey = DescriptionSurvey()
        let end = bytes.span.endOfText
        if bytes.count <= limits.bytes, end > 0 { survey.read(bytes[..<end]) }
        do throws(SDPError) {
            _ = try SessionDescription(parsing: bytes, limits: limits)
        } catch {
            survey.add(error)
        }
        return survey.sorted
    }

    private var sorted: [DescriptionFault] {
        let order = faults.indices.sorted { left, right in
            let (a, b) = (faults[left].line, faults[right].line)
            return a == b ? left < right : b == 0 || a > 0 && a < b
        }
        return order.map { faults[$0] }
    }

    private mutating func read(_ bytes: ArraySlice<UInt8>) {
        var start = 0
        var number = 0
        while start < bytes.count {
            number += 1
            let line = bytes.span.line(from: start)
            let text = bytes[bytes.startIndex + start..<bytes.startIndex + line.end]
            start = line.end + line.kind.length
            guard text.count >= 2, text[text.startIndex + 1] == UInt8(ascii: "=") else {
                add(SDPError(.malformedLine, line: number))
                continue
            }
            guard let letter = Letter(rawValue: text[text.startIndex]) else {
                add(SDPError(.unknownLetter(text[text.startIndex]), line: number))
                continue
            }
            guard line.isClean else {
                add(SDPError(.forbiddenByte, line: number))
                continue
            }
            read(letter, text.dropFirst(2), number)
        }
        endSection()
    }

    private mutating func add(_ error: SDPError) {
        let fault = DescriptionFault(error)
        if !faults.contains(fault) { faults.append(fault) }
    }

    private mutating func add(_ text: String, _ clause: String, _ line: Int) {
        faults.append(DescriptionFault(text, clause, line: line))
    }
}

// MARK: - Lines

extension DescriptionSurvey {
    private mutating func read(_ letter: Letter, _ value: ArraySlice<UInt8>, _ number: Int) {
        if letter == .media {
            endSection()
            media = MediaSurvey(value, line: number)
        } else {
            checkPlace(of: letter, number)
        }
        letters.insert(letter)
        lastLetter = letter
        check(letter, value, number)
    }

    /// The order of the lines, and how often each may stand (§5).
    private mutating func checkPlace(of letter: Letter, _ number: Int) {
        if number == 1, letter != .version { add(SDPError(.missing(.version), line: 1)) }
        if media != nil, !letter.mayStandBelowMedia { return add(SDPError(.misplaced(letter), line: number)) }
        if letters.contains(letter), !letter.isRepeatable(inMedia: media != nil) {
            return media == nil && letter.isReadOnce
                ? add(SDPError(.repeated(letter), line: number)) : add("a second \(letter) line", "RFC 8866 §5", number)
        }
        if let lastLetter, letter.rank < lastLetter.rank {
            add("the \(letter) line stands behind \(lastLetter)", "RFC 8866 §5", number)
        }
    }

    private mutating func check(_ letter: Letter, _ value: ArraySlice<UInt8>, _ number: Int) {
        switch letter {
        case .version:
            if !value.trimmed.elementsEqual("0".utf8) { add(SDPError(.unsupportedVersion, line: number)) }
        case .origin:
            checkOrigin(value, number)
        case .sessionName:
            if value.isEmpty { add("s= is empty; `s=-` says that there is no name", "RFC 8866 §5.3", number) }
        case .timing:
            let words = value.words
            if words.count != 2 || words.contains(where: { $0.decimal(UInt64.self) == nil }) {
                add("t= is not two numbers", "RFC 8866 §5.9", number)
            }
        case .connection:
            if media == nil { sessionHasConnection = true }
            guard let connection = Connection(parsing: value) else {
                return add(SDPError(.malformed(.connection), line: number))
            }
            checkAddress(connection, "c=", "RFC 8866 §5.7", number)
        case .bandwidth:
            if Bandwidth(parsing: value) == nil { add("b= is not `type:number`", "RFC 8866 §5.8", number) }
        case .attribute:
            checkAttribute(Attribute(parsing: value), number)
        case .information, .uri, .emailAddress, .phoneNumber, .repeats, .timeZones, .key, .media:
            break
        }
    }

    private mutating func checkOrigin(_ value: ArraySlice<UInt8>, _ number: Int) {
        guard let origin = Origin(parsing: value) else {
            return add(SDPError(.malformed(.origin), line: number))
        }
        for (name, word) in [("session id", value.word(1)), ("version", value.word(2))]
        where !word.allSatisfy({ (0x30...0x39).contains($0) }) {
            add("the \(name) of o= is no number: `\(word.text)`", "RFC 8866 §5.2", number)
        }
        let address = "\(origin.networkType) \(origin.addressType) \(origin.address)"
        guard let connection = Connection(parsing: Array(address.utf8)[...]) else { return }
        checkAddress(connection, "o=", "RFC 8866 §5.2", number)
    }

    /// Whether an address is of the family that is said of it.
    private mutating func checkAddress(_ connection: Connection, _ line: String, _ clause: String, _ number: Int) {
        guard connection.networkType == "IN" else {
            return add("the network type of \(line) is not IN: `\(connection.networkType)`", clause, number)
        }
        guard connection.addressType == "IP4" || connection.addressType == "IP6" else {
            let type = connection.addressType
            return add("the address type of \(line) is neither IP4 nor IP6: `\(type)`", clause, number)
        }
        if let isV4 = connection.isLiteralV4, isV4 != (connection.addressType == "IP4") {
            add("the address of \(line) is not \(connection.addressType): `\(connection.host)`", clause, number)
        }
    }

    private mutating func checkAttribute(_ attribute: Attribute, _ number: Int) {
        guard attribute.nameText.isToken else {
            return add("the name of an attribute is no token: `\(attribute.name)`", "RFC 8866 §5.13", number)
        }
        if attribute.direction != nil {
            if hasDirection { add("a second direction in one section", "RFC 8866 §6.7", number) }
            hasDirection = true
        }
        if let clause = attribute.clauseOfMedia, media == nil {
            add("a=\(attribute.name) stands above the first m= line", clause, number)
        }
        media?.take(attribute, line: number)
    }

    /// What can be told only when all of a section was read.
    private mutating func endSection() {
        if let media {
            faults += media.finished()
            if !letters.contains(.connection), !sessionHasConnection {
                add("neither this section nor the session has a c= line", "RFC 8866 §5.7", media.line)
            }
        } else {
            if !letters.contains(.origin) { add(SDPError(.missing(.origin), line: 0)) }
            for letter: Letter in [.sessionName, .timing] where !letters.contains(letter) {
                add("no \(letter) line", "RFC 8866 §5", 0)
            }
        }
        letters = []
        lastLetter = nil
        hasDirection = false
    }
}

extension Attribute {
    /// The clause of an attribute that is said of one medium alone.
    fileprivate var clauseOfMedia: String? {
        switch name {
        case "ptime": "RFC 8866 §6.4"
        case "maxptime": "RFC 8866 §6.5"
        case "rtpmap": "RFC 8866 §6.6"
        case "fmtp": "RFC 8866 §6.15"
        default: nil
        }
    }
}

extension Letter {
    /// The place in the order of a section (RFC 8866 §5); times, their repeats and zones may alternate.
    fileprivate var rank: Int {
        switch self {
        case .version, .media: 0
        case .origin: 1
        case .sessionName: 2
        case .information: 3
        case .uri: 4
        case .emailAddress: 5
        case .phoneNumber: 6
        case .connection: 7
        case .bandwidth: 8
        case .timing, .repeats, .timeZones: 9
        case .key: 10
        case .attribute: 11
        }
    }

    fileprivate var mayStandBelowMedia: Bool {
        switch self {
        case .information, .connection, .bandwidth, .key, .attribute: true
        default: false
        }
    }

    fileprivate func isRepeatable(inMedia: Bool) -> Bool {
        switch self {
        case .emailAddress, .phoneNumber, .bandwidth, .timing, .repeats, .timeZones, .attribute: true
        case .connection: inMedia
        default: false
        }
    }

    /// Whether the parser refuses a second one.
    fileprivate var isReadOnce: Bool {
        self == .version || self == .origin || self == .sessionName || self == .connection
    }
}
