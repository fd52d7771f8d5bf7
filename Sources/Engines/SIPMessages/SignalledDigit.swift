/// A digit that travels in the body of an INFO request (RFC 2976), as gateways and phones without RFC 4733 send it:
/// `application/dtmf-relay` names digit and duration, `application/dtmf` the digit alone. No RFC has these types; the
/// forms are those that peers agree on.
package struct SignalledDigit: Hashable, Sendable {
    /// One of `0-9 * # A-D`.
    package let digit: Character
    package var milliseconds: Int?

    package static let relay = ContentType("application", "dtmf-relay")
    package static let bare = ContentType("application", "dtmf")

    /// Longer than this nobody holds a key; what claims more is read as this.
    private static let longest = 10_000

    /// Nil where it is no digit. A number from 10 to 15 is `*`, `#` and `A` to `D`, by their event codes (RFC 4733 §3.2).
    package init?(_ text: some StringProtocol, milliseconds: Int? = nil) {
        let byCode: [Character] = ["*", "#", "A", "B", "C", "D"]
        if text.count == 1, let digit = text.uppercased().first, "0123456789*#ABCD".contains(digit) {
            self.digit = digit
        } else if text.utf8.count == 2, let code = Int(text), byCode.indices.contains(code - 10) {
            digit = byCode[code - 10]
        } else {
            return nil
        }
        self.milliseconds = milliseconds.map { min(max($0, 0), Self.longest) }
    }

    /// Reads a body of either type; nil where it is of another, or names no digit.
    package init?(parsing body: [UInt8], type: ContentType) {
        guard body.count <= 256 else { return nil }
        if type.isType(Self.bare.type, Self.bare.subtype) {
            self.init(String(decoding: body.filter { $0 > 0x20 }, as: UTF8.self))
            return
        }
        guard type.isType(Self.relay.type, Self.relay.subtype) else { return nil }
        var signal: String?
        var duration: Int?
        for line in body.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) {
            // Some write `Signal: 5`, some put a space behind the equals sign.
            guard let separator = line.firstIndex(where: { $0 == UInt8(ascii: "=") || $0 == UInt8(ascii: ":") }) else {
                continue
            }
            let name = String(decoding: line[..<separator].filter { $0 > 0x20 }, as: UTF8.self)
            let value = String(decoding: line[(separator + 1)...].filter { $0 > 0x20 }, as: UTF8.self)
            if name.equalsIgnoringCase("signal") { signal = signal ?? value }
            if name.equalsIgnoringCase("duration") { duration = duration ?? Int(value) }
        }
        guard let signal else { return nil }
        self.init(signal, milliseconds: duration)
    }

    /// The body of type `application/dtmf-relay`.
    package var bytes: [UInt8] {
        var text = "Signal=\(digit)\r\n"
        if let milliseconds { text += "Duration=\(milliseconds)\r\n" }
        return Array(text.utf8)
    }
}
