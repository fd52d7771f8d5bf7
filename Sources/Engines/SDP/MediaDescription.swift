/// One `m=` line and the lines below it (RFC 8866 §5.14).
package struct MediaDescription: Sendable {
    package enum Kind: Hashable, Sendable {
        case audio, video, text, application, message, image
        case other(String)
    }

    /// 0 says that the stream is refused or removed (RFC 3264 §6, §8.2).
    package let port: UInt16
    /// How many port pairs a layered stream takes, else 1.
    package let portCount: Int
    /// Every line from the `m=` line on, in order.
    package let lines: SDPLines

    /// An audio section of ours. The caller has seen to it that the texts are clean.
    ///
    /// - Parameter attributes: writes what is said beside the formats.
    init(
        port: UInt16, proto: String, formats: [MediaFormat], attributes: (inout SDPLineWriter) -> Void
    ) {
        var writer = SDPLineWriter()
        writer.line(.media) { bytes in
            bytes += "audio ".utf8
            bytes.append(decimal: port)
            bytes.append(UInt8(ascii: " "))
            bytes += proto.utf8
            for format in formats {
                bytes.append(UInt8(ascii: " "))
                bytes.append(decimal: format.payloadType)
            }
        }
        for format in formats {
            writer.line(.attribute) { format.writeMap(to: &$0) }
            if format.parameters != nil { writer.line(.attribute) { format.writeParameters(to: &$0) } }
        }
        attributes(&writer)
        self.port = port
        portCount = 1
        lines = writer.lines
    }

    /// Reads one section; its lines bear numbers from `number` on.
    init(parsing lines: SDPLines, number: Int, limits: SDPLimits) throws(SDPError) {
        guard !lines.isEmpty, lines.place(at: 0).letter == .media else {
            throw SDPError(.malformed(.media), line: number)
        }
        let value = lines.value(at: 0)
        let words = value.wordCount
        guard words >= 4 else { throw SDPError(.malformed(.media), line: number) }
        guard words - 3 <= limits.formats else { throw SDPError(.tooMany(.formats), line: number) }
        let (portText, countText) = value.word(1).cut(at: UInt8(ascii: "/"))
        guard let port = portText.decimal(UInt16.self), value.word(0).isToken,
            let count = countText.map({ $0.decimal(UInt16.self) }) ?? 1
        else { throw SDPError(.malformed(.media), line: number) }
        self.port = port
        portCount = max(1, Int(count))

        var (attributes, cryptoAttributes, candidates) = (0, 0, 0)
        for index in lines.indices.dropFirst() {
            switch lines.place(at: index).letter {
            case .connection:
                guard Connection(parsing: lines.value(at: index)) != nil else {
                    throw SDPError(.malformed(.connection), line: number + index)
                }
            case .attribute:
                attributes += 1
                if lines.isAttribute("crypto", at: index) { cryptoAttributes += 1 }
                if lines.isAttribute("candidate", at: index) { candidates += 1 }
                if let limit = limits.exceeded(by: attributes, cryptoAttributes, candidates) {
                    throw SDPError(.tooMany(limit), line: number + index)
                }
            case .information, .bandwidth, .key:
                break
            case let letter:
                throw SDPError(.misplaced(letter), line: number + index)
            }
        }
        self.lines = lines
    }

    /// The value of the `m=` line.
    var value: ArraySlice<UInt8> { lines.value(of: .media) ?? [] }

    /// The first `c=` line of this section, if any.
    package var connection: Connection? { lines.connection }

    package var kind: Kind { Kind(value.word(0).text) }

    /// The transport protocol, `RTP/AVP` and its like.
    package var proto: String { protoText.text }

    var protoText: ArraySlice<UInt8> { value.word(2) }

    /// As written, in the order of preference; for RTP each is a payload type.
    package var formats: [String] { formatTexts.map(\.text) }

    var formatTexts: ArraySlice<ArraySlice<UInt8>> { value.words.dropFirst(3) }

    package var attributes: some Sequence<Attribute> { lines.attributes }

    /// This section as an answer refuses it: port 0 in its place, the formats kept (RFC 3264 §6).
    package var refused: MediaDescription { MediaDescription(refusing: self) }

    private init(refusing section: MediaDescription) {
        var writer = SDPLineWriter()
        writer.line(.media) { bytes in
            let value = section.value
            let text = value.span
            var (position, number) = (0, 0)
            while let word = text.nextWord(&position) {
                if number > 0 { bytes.append(UInt8(ascii: " ")) }
                if number == 1 {
                    bytes.append(UInt8(ascii: "0"))
                } else {
                    bytes += value[value.startIndex + word.lowerBound..<value.startIndex + word.upperBound]
                }
                number += 1
            }
        }
        port = 0
        portCount = 1
        lines = writer.lines
    }
}

extension MediaDescription: Hashable {
    /// All that a section says stands in its lines.
    package static func == (left: MediaDescription, right: MediaDescription) -> Bool { left.lines == right.lines }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(lines)
    }
}

extension SDPLimits {
    fileprivate func exceeded(by attributes: Int, _ cryptoAttributes: Int, _ candidates: Int) -> SDPError.Limit? {
        if attributes > self.attributes { return .attributes }
        if cryptoAttributes > self.cryptoAttributes { return .cryptoAttributes }
        return candidates > self.candidates ? .candidates : nil
    }
}

extension MediaDescription.Kind: CustomStringConvertible {
    /// Case counts for a media type (RFC 8866 §9), so `Audio` is something else.
    init(_ token: String) {
        switch token {
        case "audio": self = .audio
        case "video": self = .video
        case "text": self = .text
        case "application": self = .application
        case "message": self = .message
        case "image": self = .image
        default: self = .other(token)
        }
    }

    package var description: String {
        switch self {
        case .audio: "audio"
        case .video: "video"
        case .text: "text"
        case .application: "application"
        case .message: "message"
        case .image: "image"
        case .other(let token): token
        }
    }
}
