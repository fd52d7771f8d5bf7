import Testing

@testable import EngineKit

@Suite struct IPAddressTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("::", "::"), ("::1", "::1"),
        ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("fe80::1", "fe80::1"), ("1::", "1::"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"),
    ])
    func readsAndWritesCanonicalText(text: String, canonical: String) {
        #expect(IPAddress(text)?.description == canonical)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.1234", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "::1:",
        "1:2:3:4:5:6:7:8:9", "12345::", "g::", "1.2.3.4:", "::1.2.3", "1:2:3:4:5:6:7::8",
    ])
    func refusesWhatIsNoAddress(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test func tellsReach() {
        #expect(IPAddress("127.1.2.3")?.reach == .loopback)
        #expect(IPAddress("10.0.0.1")?.reach == .privateNetwork)
        #expect(IPAddress("172.31.0.1")?.reach == .privateNetwork)
        #expect(IPAddress("172.32.0.1")?.reach == .global)
        #expect(IPAddress("169.254.1.1")?.reach == .linkLocal)
        #expect(IPAddress("239.1.1.1")?.reach == .multicast)
        #expect(IPAddress("fe80::1")?.reach == .linkLocal)
        #expect(IPAddress("fd00::1")?.reach == .privateNetwork)
        #expect(IPAddress("::ffff:127.0.0.1")?.reach == .loopback)
    }

    @Test func knowsItsNetwork() throws {
        let address = try #require(IPAddress("192.0.2.77"))
        #expect(address.isInside(try #require(IPAddress("192.0.2.0")), prefix: 24))
        #expect(!address.isInside(try #require(IPAddress("192.0.3.0")), prefix: 24))
        #expect(address.isInside(.unspecified, prefix: 0))
        #expect(!address.isInside(.unspecifiedV6, prefix: 0))
        #expect(try #require(IPAddress("2001:db8::1")).isInside(try #require(IPAddress("2001:db8::")), prefix: 127))
    }

    @Test func readsSocketAddresses() {
        #expect(SocketAddress("192.0.2.1:5060")?.description == "192.0.2.1:5060")
        #expect(SocketAddress("[::1]:5060")?.description == "[::1]:5060")
        #expect(SocketAddress("::1:5060") == nil)
        #expect(SocketAddress("[1.2.3.4]:5060") == nil)
        #expect(SocketAddress("192.0.2.1:65536") == nil)
        #expect(SocketAddress("192.0.2.1:") == nil)
        #expect(SocketAddress("192.0.2.1") == nil)
    }
}

@Suite struct InstantTests {
    @Test func saturatesInsteadOfTrapping() {
        #expect(Instant.distantFuture + .seconds(1) == .distantFuture)
        #expect(Instant(nanoseconds: .min) - .seconds(1) == Instant(nanoseconds: .min))
        #expect(Instant.zero + .seconds(Int64.max) == .distantFuture)
        #expect(Instant.distantFuture - Instant(nanoseconds: .min) == .nanoseconds(Int64.max))
        #expect(Instant(nanoseconds: 5) - Instant(nanoseconds: 2) == .nanoseconds(3))
    }
}

@Suite struct DeadlineQueueTests {
    @Test func givesDueKeysInOrderOfTimeThenOfSetting() {
        var queue = DeadlineQueue<String>()
        queue.set("late", at: Instant(nanoseconds: 30))
        queue.set("first", at: Instant(nanoseconds: 10))
        queue.set("second", at: Instant(nanoseconds: 10))
        #expect(queue.deadline == Instant(nanoseconds: 10))
        #expect(queue.popDue(at: Instant(nanoseconds: 9)) == nil)
        #expect(queue.popDue(at: Instant(nanoseconds: 20)) == "first")
        #expect(queue.popDue(at: Instant(nanoseconds: 20)) == "second")
        #expect(queue.popDue(at: Instant(nanoseconds: 20)) == nil)
        #expect(queue.deadline == Instant(nanoseconds: 30))
    }

    @Test func replacesAndCancels() {
        var queue = DeadlineQueue<Int>()
        for round in 0..<10_000 { queue.set(7, at: Instant(nanoseconds: Int64(10_000 - round))) }
        queue.set(8, at: Instant(nanoseconds: 50_000))
        #expect(queue.count == 2)
        #expect(queue.popDue(at: Instant(nanoseconds: 1)) == 7)
        #expect(queue.popDue(at: Instant(nanoseconds: 40_000)) == nil)
        queue.cancel(8)
        #expect(queue.isEmpty && queue.deadline == nil)
    }

    /// Against a list that is sorted each time, with few instants, so that many are equal, and from many keys to none.
    @Test(arguments: 0..<20 as Range<UInt64>) func doesWhatASortedListDoes(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var queue = DeadlineQueue<Int>()
        var list: [(at: Int64, order: Int, key: Int)] = []
        for order in 0..<6_000 {
            let key = Int.random(in: 0..<500, using: &random)
            // First more are set than are over, then fewer.
            switch Int.random(in: 0..<10, using: &random) {
            case ..<(order % 3_000 < 1_500 ? 7 : 2):
                let at = Int64.random(in: 0..<200, using: &random)
                queue.set(key, at: Instant(nanoseconds: at))
                if list.first(where: { $0.key == key })?.at != at {
                    list.removeAll { $0.key == key }
                    list.append((at, order, key))
                }
            case ..<8:
                queue.cancel(key)
                list.removeAll { $0.key == key }
            default:
                let now = Int64.random(in: 0..<200, using: &random)
                list.sort { ($0.at, $0.order) < ($1.at, $1.order) }
                let due = list.first.flatMap { $0.at <= now ? $0.key : nil }
                #expect(queue.popDue(at: Instant(nanoseconds: now)) == due)
                if due != nil { list.removeFirst() }
            }
            #expect(queue.count == list.count)
            #expect(queue.deadline?.nanoseconds == list.map(\.at).min())
            #expect(queue[key]?.nanoseconds == list.first { $0.key == key }?.at)
        }
        while let key = queue.popDue(at: .distantFuture) { list.removeAll { $0.key == key } }
        #expect(list.isEmpty && queue.isEmpty)
    }

    /// What a burst took is given back though one deadline stays.
    @Test func keepsNoRoomForWhatIsGone() {
        var queue = DeadlineQueue<Int>()
        for key in 0..<10_000 { queue.set(key, at: Instant(nanoseconds: Int64(key))) }
        for key in 1..<10_000 { queue.cancel(key) }
        #expect(queue.count == 1 && queue.deadline == .zero)
        #expect(queue.slots.count + queue.vacant.count < 256)
        #expect(queue.heap.capacity < 256 && queue.slotsByKey.capacity < 256)
        #expect(queue.popDue(at: .zero) == 0)
    }
}

@Suite struct RandomSourceTests {
    /// RFC 8439 §2.4.2's key with a zero nonce is not among its vectors; §A.1 test vector 1 is the zero key.
    @Test func givesTheKeyStreamOfTheZeroKey() {
        var source = RandomSource(key: InlineArray(repeating: 0))
        #expect(source.next() == 0x903d_f1a0_ade0_b876)
        #expect(source.next() == 0x28bd_8653_e56a_5d40)
    }

    @Test func repeatsFromASeedAndSplits() {
        var first = RandomSource(seed: 42)
        var second = RandomSource(seed: 42)
        #expect(first.hexadecimal(33) == second.hexadecimal(33))
        var child = first.split()
        #expect(child.next() != first.next())
    }
}
