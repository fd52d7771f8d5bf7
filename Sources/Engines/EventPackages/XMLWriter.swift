/// Writes an XML document. Every text is escaped, and what XML 1.0 has no character for becomes U+FFFD.
struct XMLWriter {
    private(set) var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

    var bytes: [UInt8] { Array(text.utf8) }

    /// An element with what `content` writes within; where that is nothing, an empty one.
    mutating func element(
        _ name: StaticString, _ attributes: [(StaticString, String?)] = [],
        _ content: (inout XMLWriter) -> Void = { _ in }
    ) {
        text += "<\(name)"
        for (name, value) in attributes {
            guard let value else { continue }
            text += " \(name)=\""
            write(value)
            text += "\""
        }
        let start = text.utf8.count
        text += ">"
        content(&self)
        if text.utf8.count == start + 1 {
            text.removeLast()
            text += "/>"
        } else {
            text += "</\(name)>"
        }
    }

    /// An element with a text; none where there is no text.
    mutating func element(_ name: StaticString, _ attributes: [(StaticString, String?)] = [], text: String?) {
        guard let text else { return }
        element(name, attributes) { $0.write(text) }
    }

    mutating func write(_ value: String) {
        for scalar in value.unicodeScalars {
            switch scalar {
            case "&": text += "&amp;"
            case "<": text += "&lt;"
            case ">": text += "&gt;"
            case "\"": text += "&quot;"
            case "\t": text += "&#9;"
            case "\n": text += "&#10;"
            case "\r": text += "&#13;"
            case "\u{0}"..."\u{1f}", "\u{fffe}", "\u{ffff}": text += "\u{fffd}"
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}
