/// What is wrong with the formats and attributes of one `m=` section.
struct MediaSurvey {
    /// The number of the `m=` line.
    let line: Int
    private let isRTP: Bool
    private let formats: [ArraySlice<UInt8>]
    private var faults: [DescriptionFault] = []
    private var mapped: Set<UInt8> = []
    private var described: Set<ArraySlice<UInt8>> = []

    /// - Parameter value: of the `m=` line.
    init(_ value: ArraySlice<UInt8>, line: Int) {
        self.line = line
        let words = value.words
        let proto = value.word(2)
        isRTP = proto.starts(with: "RTP/".utf8) || proto.starts(with: "UDP/TLS/RTP/".utf8)
        formats = Array(words.dropFirst(3))
        let ports = value.word(1).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if words.count < 4 || !value.word(0).isToken || ports.count > 2
            || ports.contains(where: { $0.decimal(UInt16.self) == nil })
        {
            faults.append(DescriptionFault(SDPError(.malformed(.media), line: line)))
        }
        guard isRTP else { return }
        for format in formats where format.payloadType == nil {
            add("the format `\(format.text)` is no payload type of 0 to 127", "RFC 8866 §6.6", line)
        }
    }

    private mutating func add(_ text: String, _ clause: String, _ line: Int) {
        faults.append(DescriptionFault(text, clause, line: line))
    }

    /// Takes an attribute of the section.
    mutating func take(_ attribute: Attribute, line: Int) {
        let value = attribute.valueText ?? []
        switch attribute.name {
        case "rtpmap": if isRTP { takeMap(value, line) }
        case "fmtp": takeParameters(value, line)
        case "ptime", "maxptime":
            guard !value.isPositiveNumber else { break }
            let clause = attribute.name == "ptime" ? "RFC 8866 §6.4" : "RFC 8866 §6.5"
            add("a=\(attribute.name) is no number above 0: `\(value.text)`", clause, line)
        case "rtcp":
            let (port, address) = value.cut(at: UInt8(ascii: " "))
            guard port.decimal(UInt16.self) == nil || address.map({ Connection(parsing: $0) == nil }) ?? false else {
                break
            }
            add("a=rtcp is not a port, or a port and an address: `\(value.text)`", "RFC 3605 §2.1", line)
        default: break
        }
    }

    private mutating func takeMap(_ value: ArraySlice<UInt8>, _ line: Int) {
        let clause = "RFC 8866 §6.6"
        let number = value.word(0)
        guard let payloadType = number.payloadType else {
            return add("a=rtpmap of `\(number.text)`, which is no payload type of 0 to 127", clause, line)
        }
        if !mapped.insert(payloadType).inserted {
            add("a second a=rtpmap of payload type \(payloadType)", clause, line)
        } else if !formats.contains(where: { $0.payloadType == payloadType }) {
            add("a=rtpmap of payload type \(payloadType), which the m= line does not name", clause, line)
        }
        guard let format = MediaFormat(parsingRTPMap: value) else {
            return add("a=rtpmap is not `type name/rate`: `\(value.text)`", clause, line)
        }
        guard let registered = MediaFormat.registered(payloadType), !registered.isSameEncoding(as: format) else {
            return
        }
        add(
            "payload type \(payloadType) is \(registered.mapText), not \(format.mapText)", "RFC 3551 §6", line)
    }

    private mutating func takeParameters(_ value: ArraySlice<UInt8>, _ line: Int) {
        let clause = "RFC 8866 §6.15"
        let format = value.word(0)
        if value.wordCount < 2 {
            add("a=fmtp is not a format and its parameters: `\(value.text)`", clause, line)
        } else if !formats.contains(format) {
            add("a=fmtp of the format `\(format.text)`, which the m= line does not name", clause, line)
        } else if !described.insert(format).inserted {
            add("a second a=fmtp of the format `\(format.text)`", clause, line)
        }
    }

    /// All faults, those among them that only the end of the section shows: payload types that nothing explains.
    consuming func finished() -> [DescriptionFault] {
        guard isRTP else { return faults }
        for payloadType in formats.compactMap(\.payloadType)
        where !mapped.contains(payloadType) && MediaFormat.registered(payloadType) == nil {
            mapped.insert(payloadType)
            add("payload type \(payloadType) has no a=rtpmap and no fixed meaning", "RFC 8866 §6.6", line)
        }
        return faults
    }
}

extension ArraySlice<UInt8> {
    fileprivate var payloadType: UInt8? {
        decimal(UInt8.self).flatMap { $0 < 128 ? $0 : nil }
    }

    /// Whether this is a `non-zero-int-or-real` (RFC 8866 §9).
    fileprivate var isPositiveNumber: Bool {
        let (whole, fraction) = cut(at: UInt8(ascii: "."))
        let digits = whole + (fraction ?? [])
        return !whole.isEmpty && fraction?.isEmpty != true && digits.allSatisfy { (0x30...0x39).contains($0) }
            && digits.contains { $0 != 0x30 }
    }
}

extension MediaFormat {
    /// As `a=rtpmap` has it.
    fileprivate var mapText: String {
        "\(encodingName)/\(clockRate)" + (channels == 1 ? "" : "/\(channels)")
    }
}
