/// A range of octets in a message or another buffer, at half the size of `Range<Int>`: values that came in a message
/// are extents over its bytes, so that reading one copies nothing and passing it on retains one buffer.
struct Extent: Hashable, Sendable {
    var start: UInt32
    var end: UInt32

    static let empty = Extent(0..<0)

    @inline(__always)
    init(_ range: Range<Int>) {
        start = UInt32(truncatingIfNeeded: range.lowerBound)
        end = UInt32(truncatingIfNeeded: range.upperBound)
    }

    @inline(__always) var range: Range<Int> { Int(start)..<Int(end) }
    @inline(__always) var count: UInt32 { end &- start }
    @inline(__always) var isEmpty: Bool { start == end }
}
