import CNcurses

/// String capabilities of the terminal in terminfo, ready to be written.
enum Capability {
    /// The bytes of a capability with its padding left out, or nil if the terminal lacks it.
    static func bytes(_ name: String) -> [UInt8]? {
        guard let value = cncurses_capability(name) else { return nil }
        return withoutPadding(Array(String(cString: value).utf8))
    }

    /// What moves the cursor to the start of a row.
    static func bytes(movingTo row: Int) -> [UInt8] {
        guard let value = cncurses_move(Int32(clamping: row), 0) else { return [] }
        return withoutPadding(Array(String(cString: value).utf8))
    }

    /// Drops `$<2>` and the like: delays that only a terminal on a serial line needs.
    static func withoutPadding(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "$"), rest.first == UInt8(ascii: "<"),
                let end = rest.firstIndex(of: UInt8(ascii: ">"))
            {
                rest = rest[(end + 1)...]
            } else {
                result.append(byte)
            }
        }
        return result
    }
}
