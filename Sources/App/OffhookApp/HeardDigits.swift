/// The digits that a peer sent: the last of them, as nobody knows when it stops, and whether those that are expected came.
struct HeardDigits: Equatable, Sendable {
    private(set) var latest = ""
    private(set) var hasExpected = false

    /// What a script may expect, and what is kept.
    static let limit = 1024

    mutating func append(_ digit: Character, expecting expected: String?) {
        // Half of them at once, so that few digits are moved many times.
        if latest.utf8.count >= 2 * Self.limit { latest.removeFirst(Self.limit) }
        latest.append(digit)
        if let expected, latest.hasSuffix(expected) { hasExpected = true }
    }

    /// Those of a call that went on in the place of this one.
    mutating func append(_ later: HeardDigits, expecting expected: String?) {
        for digit in later.latest { append(digit, expecting: expected) }
        hasExpected = hasExpected || later.hasExpected
    }
}
