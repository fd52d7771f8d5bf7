/// The name of a header field: a token that compares without case and keeps its spelling (RFC 3261 §7.3.1).
///
/// Compact forms (§7.3.3) are the same name as the long ones.
package struct HeaderName: Sendable {
    /// The known name, or nil and then `text` is the name.
    let known: KnownHeader?
    private let text: String

    init(_ known: KnownHeader) {
        self.known = known
        text = ""
    }

    /// A name by its spelling or compact form; nil if it is no token.
    package init?(_ token: String) {
        guard !token.isEmpty, ByteSet.token.containsAll(token) else { return nil }
        let bytes = Array(token.utf8)
        known = KnownHeader(named: bytes, 0..<bytes.count)
        text = known == nil ? token : ""
    }

    /// The name as we write it.
    package var spelling: String { known?.spelling ?? text }

    /// The one-letter form, where there is one.
    package var compactForm: String? {
        guard let form = known?.compactForm, form != 0 else { return nil }
        return String(UnicodeScalar(form))
    }
}

extension HeaderName: Hashable {
    package static func == (left: HeaderName, right: HeaderName) -> Bool {
        left.known == right.known && (left.known != nil || left.text.equalsIgnoringCase(right.text))
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(known)
        if known == nil { hasher.combine(text.asciiLowercased) }
    }
}

extension HeaderName: CustomStringConvertible {
    package var description: String { spelling }
}

// MARK: - Lookup

extension KnownHeader {
    /// The known header of that name in any case, long or compact.
    init?(named bytes: [UInt8], _ range: Range<Int>) {
        guard range.lowerBound >= 0, range.upperBound <= bytes.count else { return nil }
        let code = bytes.withUnsafeBytes { KnownNames.all.code(of: UnsafeRawBufferPointer(rebasing: $0[range])) }
        self.init(rawValue: code)
    }
}
