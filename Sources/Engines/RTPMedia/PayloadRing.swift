import EngineKit

/// The octets of packets one behind the other, in memory of fixed size: the newest overwrite the oldest.
///
/// Where packets of any length may come, but most are short, room for so many octets holds far more of them than room for
/// so many of the longest.
struct PayloadRing: ~Copyable, Sendable {
    private let memory: FixedBuffer<UInt8>
    /// Octets taken since the start, and those that were left out where a packet would not have been in one piece.
    private var end = 0

    /// - Parameter capacity: in octets, those of the longest packet at least.
    init(capacity: Int) {
        memory = FixedBuffer(repeating: 0, count: max(capacity, RTPPacket.maximumLength))
    }

    /// Where the next packet of at most so many octets will begin.
    private func start(of length: Int) -> Int {
        let left = memory.count - end % memory.count
        return left < length ? end + left : end
    }

    /// Whether a packet of at most so many octets fits in without overwriting what begins at `position`.
    func hasRoom(for length: Int, behind position: Int) -> Bool {
        start(of: length) + length - position <= memory.count
    }

    /// Has `body` write a packet of at most so many octets, of which it gives how many it wrote; nil: none.
    ///
    /// - Returns: where the packet begins.
    mutating func append(
        atMost length: Int, _ body: (_ memory: inout MutableSpan<UInt8>) -> Int?
    ) -> (position: Int, length: Int)? {
        let start = start(of: length)
        let place = start % memory.count
        let room = memory.elements(place..<place + length)
        var span = room.mutableSpan
        guard let written = body(&span), (0...length).contains(written) else { return nil }
        end = start + written
        return (start, written)
    }

    /// Whether nothing was written over what begins there.
    func isKept(_ position: Int) -> Bool { end - position <= memory.count }

    func octets(at position: Int, length: Int) -> UnsafeMutableBufferPointer<UInt8> {
        let place = position % memory.count
        return memory.elements(place..<place + length)
    }
}
