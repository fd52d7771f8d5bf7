import EngineKit

/// How a simulated network treats datagrams.
package struct NetworkConditions: Equatable, Sendable {
    package static let usualDelay = Duration.milliseconds(10)

    /// The share of datagrams that never arrive, 0 to 1.
    package var loss: Double
    /// The share of datagrams that arrive twice.
    package var duplication: Double
    /// The share of datagrams that take up to `lateness` longer, so that later ones overtake them.
    package var reordering: Double
    package var lateness: Duration
    /// The delay of every message, over streams too.
    package var delay: ClosedRange<Duration>

    package init(
        loss: Double = 0, duplication: Double = 0, reordering: Double = 0, lateness: Duration = .milliseconds(700),
        delay: ClosedRange<Duration> = usualDelay...usualDelay
    ) {
        self.loss = loss
        self.duplication = duplication
        self.reordering = reordering
        self.lateness = lateness
        self.delay = delay
    }

    /// Nothing is lost, and each message takes 10 ms.
    package static let perfect = NetworkConditions()
}

/// Decides what becomes of each datagram. Loss, duplication and delay draw from sources of their own, so that one fault
/// more does not shift the others.
struct Network {
    var conditions: NetworkConditions
    /// Datagrams to lose by their number, from 0 in the order of sending.
    var doomed: Set<Int> = []
    private(set) var datagrams = 0
    private var lossSource: RandomSource
    private var duplicationSource: RandomSource
    private var delaySource: RandomSource

    init(conditions: NetworkConditions, random: inout RandomSource) {
        self.conditions = conditions
        lossSource = random.split()
        duplicationSource = random.split()
        delaySource = random.split()
    }

    /// The delays after which copies of the next datagram arrive; none where it is lost.
    mutating func fate() -> [Duration] {
        defer { datagrams += 1 }
        let isLost = chance(conditions.loss, from: &lossSource)
        let isDoubled = chance(conditions.duplication, from: &duplicationSource)
        let delays = [delay(), delay()]
        if isLost || doomed.contains(datagrams) { return [] }
        return isDoubled ? delays : [delays[0]]
    }

    /// The delay of a piece of a stream.
    mutating func streamDelay() -> Duration { pick(conditions.delay) }

    private mutating func delay() -> Duration {
        let base = pick(conditions.delay)
        guard chance(conditions.reordering, from: &delaySource) else { return base }
        return base + pick(.zero...conditions.lateness)
    }

    private func chance(_ share: Double, from source: inout RandomSource) -> Bool {
        Double.random(in: 0..<1, using: &source) < share
    }

    private mutating func pick(_ range: ClosedRange<Duration>) -> Duration {
        let bounds = range.lowerBound.saturatedNanoseconds / 1000...range.upperBound.saturatedNanoseconds / 1000
        return .microseconds(Int64.random(in: bounds, using: &delaySource))
    }
}
