/// One `m=` line and the lines below it (RFC 8866 §5.14).
package struct MediaDescription: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        case audio, video, text, application, message, image
        case other(String)
    }

    package let kind: Kind
    /// 0 says that the stream is refused or removed (RFC 3264 §6, §8.2).
    package let port: UInt16
    /// How many port pairs a layered stream takes, else 1.
    package let portCount: Int
    /// The transport protocol, `RTP/AVP` and its like.
    package let proto: String
    /// As written, in the order of preference; for RTP each is a payload type.
    package let formats: [String]
    /// The first `c=` line of this section, if any.
    package let connection: Connection?
    package let attributes: [Attribute]
    /// Every line from the `m=` line on, in order.
    package let lines: [SDPLine]

    /// A section of ours. The caller has seen to it that the texts are clean words.
    init(
        kind: Kind, port: UInt16, proto: String, formats: [String], connection: Connection? = nil,
        attributes: [Attribute] = []
    ) {
        self.kind = kind
        self.port = port
        portCount = 1
        self.proto = proto
        self.formats = formats
        self.connection = connection
        self.attributes = attributes
        let words = [kind.description, String(port), proto] + formats
        var lines = [SDPLine(.media, words.joined(separator: " "))]
        if let connection { lines.append(connection.line) }
        self.lines = lines + attributes.map(\.line)
    }

    /// Reads one section; its lines bear numbers from `number` on.
    init(parsing lines: [SDPLine], number: Int, limits: SDPLimits) throws(SDPError) {
        guard let first = lines.first, first.letter == .media else { throw SDPError(.malformed(.media), line: number) }
        let words = first.value[...].words
        guard words.count >= 4 else { throw SDPError(.malformed(.media), line: number) }
        guard words.count - 3 <= limits.formats else { throw SDPError(.tooMany(.formats), line: number) }
        let (portText, countText) = words[1].cut(at: "/")
        guard let port = portText.decimal(UInt16.self), words[0].isToken,
            let count = countText.map({ $0.decimal(UInt16.self) }) ?? 1
        else { throw SDPError(.malformed(.media), line: number) }
        kind = Kind(words[0].text)
        self.port = port
        portCount = max(1, Int(count))
        proto = words[2].text
        formats = words[3...].map(\.text)

        var connection: Connection?
        var attributes: [Attribute] = []
        for (offset, line) in lines.dropFirst().enumerated() {
            switch line.letter {
            case .connection:
                guard let parsed = Connection(parsing: line.value) else {
                    throw SDPError(.malformed(.connection), line: number + 1 + offset)
                }
                connection = connection ?? parsed
            case .attribute:
                attributes.append(Attribute(parsing: line.value))
                if let limit = limits.exceeded(by: attributes) {
                    throw SDPError(.tooMany(limit), line: number + 1 + offset)
                }
            case .information, .bandwidth, .key:
                break
            default:
                throw SDPError(.misplaced(line.letter), line: number + 1 + offset)
            }
        }
        self.connection = connection
        self.attributes = attributes
        self.lines = lines
    }

    /// This section as an answer refuses it: port 0 in its place, the formats kept (RFC 3264 §6).
    package var refused: MediaDescription {
        MediaDescription(kind: kind, port: 0, proto: proto, formats: formats)
    }
}

extension SDPLimits {
    fileprivate func exceeded(by attributes: [Attribute]) -> SDPError.Limit? {
        if attributes.count > self.attributes { return .attributes }
        switch attributes.last?.name {
        case "crypto":
            return attributes.count(where: { $0.name == "crypto" }) > cryptoAttributes ? .cryptoAttributes : nil
        case "candidate":
            return attributes.count(where: { $0.name == "candidate" }) > candidates ? .candidates : nil
        default:
            return nil
        }
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
