extension Parameters {
    /// Writes the list in the grammar of the place it stands in.
    func write(to writer: inout MessageWriter, as place: Syntax) {
        if place == syntax {
            writer.write(raw: text)
        } else {
            for (name, value) in list { Self.write(name, value, place, to: &writer) }
        }
    }

    static func write(_ name: String, _ value: String?, _ syntax: Syntax, to writer: inout MessageWriter) {
        // A name that is no token can't be quoted: what is not of a token is left out.
        let isWhole = syntax == .uri || ByteSet.token.containsAll(name)
        let name = isWhole ? name : String(decoding: name.utf8.filter(ByteSet.token.contains), as: UTF8.self)
        guard !name.isEmpty else { return }
        writer.write(fixed: ";")
        switch syntax {
        case .uri:
            writer.write(escaping: name, keeping: .uriParameter)
            guard let value else { return }
            writer.write(fixed: "=")
            writer.write(escaping: value, keeping: .uriParameter)
        case .field:
            writer.write(name)
            guard let value else { return }
            writer.write(fixed: "=")
            if !value.isEmpty, ByteSet.unquoted.containsAll(value) {
                writer.write(value)
            } else {
                writer.write(quoted: value)
            }
        }
    }
}
