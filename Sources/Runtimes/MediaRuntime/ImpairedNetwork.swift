import EngineKit

/// A bad network between a call and its peer, made on purpose: what passes it is lost, late or doubled. Memory is taken
/// once, off the media thread.
struct ImpairedNetwork: ~Copyable {
    private var sending: ImpairedPath
    private var receiving: ImpairedPath
    private var outward = DelayedDatagrams()
    private var inward = DelayedDatagrams()

    /// - Parameter number: tells the calls apart.
    init(_ impairment: NetworkImpairment, number: UInt32) {
        sending = ImpairedPath(impairment, number: UInt64(number) << 1)
        receiving = ImpairedPath(impairment, number: UInt64(number) << 1 | 1)
    }

    /// When `takeOutward` or `takeInward` has something.
    var due: Instant { min(outward.due, inward.due) }

    mutating func send(_ bytes: Span<UInt8>, to destination: SocketAddress, isRTCP: Bool, at now: Instant) {
        Self.pass(bytes, destination, isRTCP, along: &sending, into: &outward, at: now)
    }

    mutating func receive(_ bytes: Span<UInt8>, from source: SocketAddress, isRTCP: Bool, at now: Instant) {
        Self.pass(bytes, source, isRTCP, along: &receiving, into: &inward, at: now)
    }

    /// Gives what has passed by then on its way to the peer; false where there is nothing more.
    mutating func takeOutward(by now: Instant, _ body: DelayedDatagrams.Taker) -> Bool {
        outward.removeFirst(by: now, body)
    }

    mutating func takeInward(by now: Instant, _ body: DelayedDatagrams.Taker) -> Bool {
        inward.removeFirst(by: now, body)
    }

    private static func pass(
        _ bytes: Span<UInt8>, _ address: SocketAddress, _ isRTCP: Bool, along path: inout ImpairedPath,
        into queue: inout DelayedDatagrams, at now: Instant
    ) {
        guard let arrival = path.arrival(of: now) else { return }
        queue.append(bytes, address, isRTCP: isRTCP, due: arrival.first)
        if let copy = arrival.copy { queue.append(bytes, address, isRTCP: isRTCP, due: copy) }
    }
}

/// Datagrams on their way, by the time when they arrive. What there is no room for is lost, as in any network.
struct DelayedDatagrams: ~Copyable {
    typealias Taker = (_ bytes: Span<UInt8>, _ address: SocketAddress, _ isRTCP: Bool, _ due: Instant) -> Void

    private struct Entry: BitwiseCopyable {
        var due = Instant.zero
        var order: UInt64 = 0
        var address = SocketAddress(.unspecified, port: 0)
        var isRTCP = false
        var length = 0
        var slot = 0
    }

    /// Four seconds, doubled, of packets of 10 ms.
    private static let capacity = 1024
    private static let size = MediaWorker.datagramSize

    /// The first `count` are on their way; the slots of the others are free.
    private var entries = FixedBuffer<Entry>(repeating: Entry(), count: Self.capacity)
    private var bytes = FixedBuffer<UInt8>(repeating: 0, count: Self.capacity * Self.size)
    private var count = 0
    private var order: UInt64 = 0
    /// When the first arrives; in the distant future where none is on its way.
    private(set) var due = Instant.distantFuture

    init() {
        for index in 0..<Self.capacity { entries[index].slot = index }
    }

    mutating func append(_ datagram: Span<UInt8>, _ address: SocketAddress, isRTCP: Bool, due instant: Instant) {
        guard count < Self.capacity, datagram.count <= Self.size else { return }
        let slot = entries[count].slot
        order += 1
        entries[count] = Entry(
            due: instant, order: order, address: address, isRTCP: isRTCP, length: datagram.count, slot: slot)
        let memory = bytes.elements(slot * Self.size..<slot * Self.size + datagram.count)
        for offset in datagram.indices { memory[offset] = datagram[offset] }
        count += 1
        due = min(due, instant)
    }

    mutating func removeFirst(by now: Instant, _ body: Taker) -> Bool {
        guard count > 0, due <= now else { return false }
        var first = 0
        for index in 1..<max(1, count) where isEarlier(index, first) { first = index }
        let entry = entries[first]
        count -= 1
        entries[first] = entries[count]
        entries[count] = entry
        due = .distantFuture
        for index in 0..<count { due = min(due, entries[index].due) }
        let memory = bytes.elements(entry.slot * Self.size..<entry.slot * Self.size + entry.length)
        body(UnsafeBufferPointer(memory).span, entry.address, entry.isRTCP, entry.due)
        return true
    }

    private func isEarlier(_ index: Int, _ other: Int) -> Bool {
        (entries[index].due, entries[index].order) < (entries[other].due, entries[other].order)
    }
}
