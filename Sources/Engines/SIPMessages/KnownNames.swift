/// The names of `KnownHeader`, long and compact, to be found in the bytes of a message eight octets in a step.
///
/// Names compare without case (RFC 3261 §7.3.1): the bit that tells a small letter is set in both, which besides
/// letters joins only octets of which no known name has either.
struct KnownNames: Sendable {
    /// The names have at most that many octets, and end by then in a word of zeros.
    private static let longest = 32

    /// A name with the bit of small letters set in each octet, zeros behind it.
    private struct Name: Equatable {
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        var length = 0

        @inline(__always)
        static func == (left: Name, right: Name) -> Bool {
            // Zeros fill the words up, so that they tell the length too.
            left.words.0 == right.words.0 && left.words.1 == right.words.1 && left.words.2 == right.words.2
                && left.words.3 == right.words.3
        }

        @inline(__always)
        var place: UInt8 {
            let mixed = (words.0 ^ words.1 &>> 3) &* 0x94d0_49bb_1331_11eb
            return UInt8(truncatingIfNeeded: mixed &>> 56)
        }
    }

    private struct Entry: BitwiseCopyable {
        var name = Name()
        /// The raw value of the header, 0 where the place is free.
        var code: UInt8 = 0
    }

    /// An open-addressed table that is at most half full, so that a search ends.
    private let entries: OctetTable<Entry>

    static let all = KnownNames()

    private init() {
        var entries = [Entry](repeating: Entry(), count: 256)
        func add(_ text: [UInt8], _ header: KnownHeader) {
            let name = text.withUnsafeBytes(Self.name)
            var index = Int(name.place)
            while entries[index].code != 0 { index = (index + 1) & 255 }
            entries[index] = Entry(name: name, code: header.rawValue)
        }
        for header in KnownHeader.allCases {
            add(Array(header.spelling.utf8), header)
            if header.compactForm != 0 { add([header.compactForm], header) }
        }
        self.entries = OctetTable { entries[Int($0)] }
    }

    /// The raw value of the header of that name, or 0.
    func code(of name: UnsafeRawBufferPointer) -> UInt8 {
        name.count > Self.longest ? 0 : code(of: Self.name(name))
    }

    /// The octets from `start` up to a colon, and the raw value of the header of that name or 0; nil where there is no
    /// colon soon, or it stands too near to the buffer's end.
    @inline(__always)
    func find(in buffer: UnsafeRawBufferPointer, from start: Int) -> (code: UInt8, length: Int)? {
        var name = Name()
        guard
            Self.read(buffer, start, &name.words.0, &name.length)
                || Self.read(buffer, start, &name.words.1, &name.length)
                || Self.read(buffer, start, &name.words.2, &name.length)
                || Self.read(buffer, start, &name.words.3, &name.length)
        else { return nil }
        return (code(of: name), name.length)
    }

    /// Reads eight octets more of a name, or as many as there are before a colon, and says whether it ends there.
    @inline(__always)
    private static func read(
        _ buffer: UnsafeRawBufferPointer, _ start: Int, _ word: inout UInt64, _ length: inout Int
    ) -> Bool {
        let position = start &+ length
        guard position &+ 8 <= buffer.count else { return false }
        let octets = UInt64(littleEndian: buffer.loadUnaligned(fromByteOffset: position, as: UInt64.self))
        let difference = octets ^ 0x3a3a_3a3a_3a3a_3a3a
        let colon = (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
        let small = octets | 0x2020_2020_2020_2020
        if colon == 0 {
            word = small
            length &+= 8
            return false
        }
        let bits = colon.trailingZeroBitCount & 56
        word = small & ((1 &<< UInt64(bits)) &- 1)
        length &+= bits &>> 3
        return true
    }

    @inline(__always)
    private func code(of name: Name) -> UInt8 {
        var index = name.place
        while entries[index].code != 0 {
            if entries[index].name == name { return entries[index].code }
            index &+= 1
        }
        return 0
    }

    private static func name(_ text: UnsafeRawBufferPointer) -> Name {
        Name(words: (word(text, 0), word(text, 8), word(text, 16), word(text, 24)), length: text.count)
    }

    private static func word(_ text: UnsafeRawBufferPointer, _ start: Int) -> UInt64 {
        var word: UInt64 = 0
        var index = min(start &+ 8, text.count)
        while index > start {
            index &-= 1
            word = word &<< 8 | UInt64(text[index] | 0x20)
        }
        return word
    }
}
