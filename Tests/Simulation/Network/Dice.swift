import EngineKit

/// A small source for one decision of a simulated world (SplitMix64), so that no decision shifts another.
struct Dice: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func chance(_ share: Double) -> Bool {
        share > 0 && Double.random(in: 0..<1, using: &self) < share
    }

    mutating func duration(in range: ClosedRange<Duration>) -> Duration {
        let bounds = range.lowerBound.saturatedNanoseconds / 1000...range.upperBound.saturatedNanoseconds / 1000
        return .microseconds(Int64.random(in: bounds, using: &self))
    }

    mutating func one<T>(of choices: [T]) -> T {
        choices[Int.random(in: choices.indices, using: &self)]
    }
}

/// A running 64-bit hash (FNV-1a): the same bytes in the same order give the same value on every machine.
package struct Fingerprint: Hashable, Sendable {
    package private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    package init() {}

    package mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    }

    package mutating func add(_ text: String) {
        add(text.utf8)
        add(CollectionOfOne(0))
    }

    package mutating func add(_ number: UInt64) {
        withUnsafeBytes(of: number.littleEndian) { add($0) }
    }
}
