import EngineKit
import Testing

@testable import MediaRuntime

@Suite struct ImpairedNetworkTests {
    private static let address = SocketAddress(.loopback, port: 4_000)

    private func instant(_ milliseconds: Int64) -> Instant { Instant(nanoseconds: milliseconds * 1_000_000) }

    private struct Taken: Equatable {
        var bytes: [UInt8]
        var isRTCP: Bool
        var due: Instant
    }

    private func take(_ queue: inout DelayedDatagrams, by milliseconds: Int64) -> [Taken] {
        var taken: [Taken] = []
        while queue.removeFirst(
            by: instant(milliseconds),
            { bytes, address, isRTCP, due in
                #expect(address == Self.address)
                taken.append(Taken(bytes: bytes.indices.map { bytes[$0] }, isRTCP: isRTCP, due: due))
            })
        {}
        return taken
    }

    private func append(_ number: UInt8, to queue: inout DelayedDatagrams, due milliseconds: Int64, length: Int = 3) {
        let bytes = [UInt8](repeating: number, count: length)
        queue.append(bytes.span, Self.address, isRTCP: number % 2 == 0, due: instant(milliseconds))
    }

    @Test func datagramsArriveByTheirTimeAndThenByTheirOrder() {
        var queue = DelayedDatagrams()
        #expect(queue.due == .distantFuture)
        for (number, due) in [(1, 30), (2, 10), (3, 30), (4, 20)] as [(UInt8, Int64)] {
            append(number, to: &queue, due: due)
        }
        #expect(queue.due == instant(10))
        #expect(take(&queue, by: 9).isEmpty)
        #expect(take(&queue, by: 20).map(\.bytes) == [[2, 2, 2], [4, 4, 4]])
        #expect(queue.due == instant(30))
        let rest = take(&queue, by: 1_000)
        #expect(rest.map { $0.bytes[0] } == [1, 3] && rest.allSatisfy { $0.due == instant(30) && !$0.isRTCP })
        #expect(queue.due == .distantFuture)
    }

    @Test func allIsTakenAtTheEndOfTime() {
        var queue = DelayedDatagrams()
        for due in [50, 10] as [Int64] { append(UInt8(due), to: &queue, due: due) }
        var order: [UInt8] = []
        while queue.removeFirst(by: .distantFuture, { bytes, _, _, _ in order.append(bytes[0]) }) {}
        #expect(order == [10, 50])
    }

    @Test func whatThereIsNoRoomForIsLost() {
        var queue = DelayedDatagrams()
        append(9, to: &queue, due: 1, length: MediaWorker.datagramSize + 1)
        #expect(take(&queue, by: 10).isEmpty)
        for index in 0..<1_100 { append(UInt8(index % 251), to: &queue, due: Int64(index), length: 0) }
        #expect(take(&queue, by: 10_000).count == 1_024)
        // And there is room again, any number of times.
        for index in 0..<5_000 {
            append(UInt8(index % 251), to: &queue, due: Int64(index))
            #expect(take(&queue, by: Int64(index)).map { $0.bytes[0] } == [UInt8(index % 251)])
        }
    }

    @Test func bothWaysHaveANetworkOfTheirOwn() {
        var impairment = NetworkImpairment()
        impairment.loss = 0.5
        var network = ImpairedNetwork(impairment, number: 3)
        var passed: [(Int, Bool)] = []
        for index in 0..<200 {
            let bytes = [UInt8(index)]
            network.send(bytes.span, to: Self.address, isRTCP: false, at: instant(Int64(index)))
            network.receive(bytes.span, from: Self.address, isRTCP: false, at: instant(Int64(index)))
        }
        while network.takeOutward(by: instant(1_000), { bytes, _, _, _ in passed.append((Int(bytes[0]), true)) }) {}
        while network.takeInward(by: instant(1_000), { bytes, _, _, _ in passed.append((Int(bytes[0]), false)) }) {}
        let (outward, inward) = (passed.filter(\.1).map(\.0), passed.filter { !$0.1 }.map(\.0))
        #expect((60...140).contains(outward.count) && (60...140).contains(inward.count) && outward != inward)
        #expect(network.due == .distantFuture)
    }
}
