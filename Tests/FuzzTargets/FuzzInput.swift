/// Bytes that are taken as choices: at the end every choice is the first one.
struct FuzzInput {
    private let bytes: [UInt8]
    private var next = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { next >= bytes.count }

    mutating func byte() -> UInt8 {
        guard next < bytes.count else { return 0 }
        defer { next += 1 }
        return bytes[next]
    }

    mutating func flag() -> Bool { byte() & 1 == 1 }

    /// One of `choices`, of which there is at least one.
    mutating func pick<Choice>(_ first: Choice, _ others: Choice...) -> Choice {
        let index = Int(byte()) % (others.count + 1)
        return index == 0 ? first : others[index - 1]
    }

    /// As many of the bytes as the next one says.
    mutating func run() -> ArraySlice<UInt8> { take(Int(byte())) }

    mutating func take(_ count: Int) -> ArraySlice<UInt8> {
        let end = min(bytes.count, next + count)
        defer { next = end }
        return bytes[next..<end]
    }

    mutating func rest() -> ArraySlice<UInt8> { take(bytes.count) }

    mutating func text() -> String { String(decoding: run(), as: UTF8.self) }
}
