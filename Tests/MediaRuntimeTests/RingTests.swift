import Testing

@testable import MediaRuntime

@Suite struct RingTests {
    @Test func keepsOrderAcrossItsEnd() {
        let ring = Ring<Int>(capacity: 5, filler: 0)
        #expect(ring.capacity == 8)
        var next = 0
        var expected = 0
        for size in [3, 8, 1, 7, 5, 8, 2] {
            let batch = Array(next..<(next + size))
            let written = batch.withUnsafeBufferPointer { ring.write($0) }
            next += written
            for _ in 0..<max(1, written - 1) {
                #expect(ring.popFirst() == expected)
                expected += 1
            }
        }
        while let value = ring.popFirst() {
            #expect(value == expected)
            expected += 1
        }
        #expect(expected == next)
    }

    @Test func refusesWhatDoesNotFit() {
        let ring = Ring<Int>(capacity: 2, filler: 0)
        #expect(ring.append(1) && ring.append(2) && !ring.append(3))
        ring.drop(5)
        #expect(ring.popFirst() == nil && ring.space == 2)
    }

    @Test func carriesEveryElementBetweenTwoThreads() async {
        let ring = Ring<Int>(capacity: 16, filler: 0)
        let total = 100_000
        async let sum = Task.detached {
            var (sum, expected) = (0, 0)
            while expected < total {
                guard let value = ring.popFirst() else {
                    await Task.yield()
                    continue
                }
                if value != expected { return -1 }
                expected += 1
                sum += value
            }
            return sum
        }.value
        var next = 0
        while next < total {
            if ring.append(next) { next += 1 } else { await Task.yield() }
        }
        #expect(await sum == total * (total - 1) / 2)
    }
}
