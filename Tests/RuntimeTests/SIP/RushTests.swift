import Testing

@testable import SIPRuntime

@Suite struct RushTests {
    /// At which of these numbers of transactions the memory of a rush is given back.
    private func ends(_ counts: [Int]) -> [Int] {
        var rush = Rush()
        return counts.filter { rush.isOver(holding: $0) }
    }

    @Test func endsOnceForEachTenthThatIsLeft() {
        let counts = [10, 5000, 20_000, 12_000, 2001, 2000, 1999, 300, 200, 150, 20, 2, 1, 0, 0]
        #expect(ends(counts) == [2000, 200, 20, 2, 0])
    }

    @Test func isNoRushBelowTwoThousand() {
        #expect(ends([1, 1999, 500, 100, 0, 0]) == [])
    }

    @Test func beginsAnewWithEachRush() {
        #expect(ends([4000, 0, 1, 0, 3000, 0]) == [0, 0])
    }
}
