import EngineKit

/// The packets that wait to be handed to the sockets: sixteen at most, or five of the longest.
struct OutgoingPackets: ~Copyable, Sendable {
    private static let capacity = 16

    /// Not private, as the module that owns a session frees its buffer of them.
    struct Entry: BitwiseCopyable, Sendable {
        var position = 0
        var length = 0
        var isRTCP = false
    }

    private var payloads = PayloadRing(capacity: 8_192)
    private var entries = FixedBuffer<Entry>(repeating: Entry(), count: Self.capacity)
    private var destinations = InlineArray<16, SocketAddress?>(repeating: nil)
    private var first = 0
    private var count = 0

    /// Writes a packet with `body`, which gives its length, or nil for none. False where nothing was queued.
    mutating func append(
        to destination: SocketAddress, isRTCP: Bool, _ body: (_ memory: inout MutableSpan<UInt8>) -> Int?
    ) -> Bool {
        guard count < Self.capacity,
            count == 0 || payloads.hasRoom(for: RTPPacket.maximumLength, behind: entries[first].position),
            let piece = payloads.append(atMost: RTPPacket.maximumLength, body), piece.length > 0
        else { return false }
        let place = (first + count) % Self.capacity
        entries[place] = Entry(position: piece.position, length: piece.length, isRTCP: isRTCP)
        destinations[place] = destination
        count += 1
        return true
    }

    mutating func removeFirst(_ body: (Span<UInt8>, SocketAddress, Bool) -> Void) -> Bool {
        guard count > 0, let destination = destinations[first] else { return false }
        let memory = payloads.octets(at: entries[first].position, length: entries[first].length)
        body(memory.span, destination, entries[first].isRTCP)
        first = (first + 1) % Self.capacity
        count -= 1
        return true
    }
}

/// The events that wait to be taken; where nobody takes them the newest are lost.
struct MediaEvents: Sendable {
    private static let capacity = 32

    private var events = InlineArray<32, MediaEvent?>(repeating: nil)
    private var first = 0
    private var count = 0

    mutating func append(_ event: MediaEvent) {
        guard count < Self.capacity else { return }
        events[(first + count) % Self.capacity] = event
        count += 1
    }

    mutating func removeFirst() -> MediaEvent? {
        guard count > 0 else { return nil }
        defer {
            first = (first + 1) % Self.capacity
            count -= 1
        }
        return events[first]
    }
}
