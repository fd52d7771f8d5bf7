/// Messages that wait (RFC 3842): `application/simple-message-summary`.
package struct MessageSummary: Equatable, Sendable {
    package struct Counts: Equatable, Sendable {
        package var new: UInt32
        package var old: UInt32
        /// Among them urgent ones.
        package var newUrgent: UInt32
        package var oldUrgent: UInt32

        package init(new: UInt32, old: UInt32, newUrgent: UInt32 = 0, oldUrgent: UInt32 = 0) {
            self.new = new
            self.old = old
            self.newUrgent = newUrgent
            self.oldUrgent = oldUrgent
        }
    }

    package var isWaiting: Bool
    /// Whose messages, where the server says so.
    package var account: String?
    package var voice: Counts?

    package init(isWaiting: Bool, account: String? = nil, voice: Counts? = nil) {
        self.isWaiting = isWaiting
        self.account = account
        self.voice = voice
    }

    private static let longest = 8192

    /// Lines beyond those that count are header fields of single messages, which are passed over.
    package init(parsing bytes: [UInt8]) throws(EventBodyFault) {
        var waiting: Bool?
        var account: String?
        var voice: Counts?
        for line in bytes.prefix(Self.longest).split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let name = Self.word(line[..<colon]).lowercased()
            let value = Self.word(line[(colon + 1)...])
            switch name {
            case "messages-waiting" where waiting == nil:
                guard ["yes", "no"].contains(value.lowercased()) else { throw .value("Messages-Waiting") }
                waiting = value.lowercased() == "yes"
            case "message-account": account = account ?? value
            case "voice-message" where voice == nil: voice = try Counts(parsing: value)
            default: break
            }
        }
        guard let waiting else { throw .missing("Messages-Waiting") }
        self.init(isWaiting: waiting, account: account, voice: voice)
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> String {
        var bytes = bytes
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension MessageSummary.Counts {
    /// `2/8` or `2/8 (0/2)`.
    fileprivate init(parsing text: String) throws(EventBodyFault) {
        let numbers = text.split(whereSeparator: { "/() \t".contains($0) }).map { UInt32($0) }
        guard numbers.count == 2 || numbers.count == 4, let new = numbers[0], let old = numbers[1] else {
            throw .value("Voice-Message")
        }
        self.init(new: new, old: old)
        if numbers.count == 4 {
            guard let newUrgent = numbers[2], let oldUrgent = numbers[3] else { throw .value("Voice-Message") }
            (self.newUrgent, self.oldUrgent) = (newUrgent, oldUrgent)
        }
    }
}
