import SIPMessages

extension Headers {
    /// What the lines of a comma list hold between them, as it is written. Empty elements say nothing (RFC 2616 §2.1,
    /// whose lists SIP has).
    func elements(_ name: HeaderName) -> [String] { values(name).flatMap(\.listElements) }
}

extension String {
    /// The parts between commas that stand in no quoted string, without blanks around them.
    fileprivate var listElements: [String] {
        var isQuoted = false
        var isEscaped = false
        let parts = utf8.split { octet in
            if isEscaped {
                isEscaped = false
            } else if isQuoted, octet == UInt8(ascii: "\\") {
                isEscaped = true
            } else if octet == UInt8(ascii: "\"") {
                isQuoted.toggle()
            }
            return octet == UInt8(ascii: ",") && !isQuoted
        }
        return parts.compactMap { part in
            let isBlank = { (octet: UInt8) in octet == 0x20 || octet == 0x09 }
            let text = part.drop(while: isBlank)
            guard let end = text.lastIndex(where: { !isBlank($0) }) else { return nil }
            return String(Substring(text[...end]))
        }
    }
}
