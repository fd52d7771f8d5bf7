/// What a bad network does to datagrams, on purpose and repeatably.
package struct NetworkImpairment: Hashable, Sendable {
    /// Shares of all datagrams, 0 ... 1: lost, overtaken by those behind them, arriving twice.
    package var loss = 0.0
    package var reordering = 0.0
    package var duplication = 0.0
    /// How many are lost in a row on average where any is; what chance makes of the loss where that is more.
    package var burst = 1.0
    /// What each takes, and what it may take longer, drawn evenly. In its order, unless it is overtaken.
    package var delay = Duration.zero
    package var jitter = Duration.zero
    package var seed: UInt64 = 1
    package var affectsSIP = true
    package var affectsRTP = true

    package init() {}
}

/// One direction of an impaired network: decides what becomes of each datagram.
package struct ImpairedPath: Sendable {
    /// When a datagram arrives, and the copy that the network made of it.
    package struct Arrival: Equatable, Sendable {
        package var first: Instant
        package var copy: Instant?
    }

    private let impairment: NetworkImpairment
    private var random: RandomSource
    private var isLosing = false
    private var latest = Instant.zero

    /// How much later than it would one comes that is overtaken: behind the next one of any usual packet time.
    private static let overtaking = Duration.milliseconds(30)

    /// - Parameter number: tells the paths apart that have one seed.
    package init(_ impairment: NetworkImpairment, number: UInt64) {
        self.impairment = impairment
        random = RandomSource(seed: impairment.seed &* 0x9e37_79b9_7f4a_7c15 &+ number)
    }

    /// Nil: it is lost. As many numbers are drawn for each, so that one wish does not shift what another comes to.
    package mutating func arrival(of departure: Instant) -> Arrival? {
        let (loss, jitter, overtaken, copied) = (draw(), draw(), draw(), draw())
        isLosing = loss < (isLosing ? lossAfterLoss : lossAfterArrival)
        if isLosing { return nil }
        var instant = departure + impairment.delay + impairment.jitter * jitter
        if overtaken < impairment.reordering {
            instant += Self.overtaking
        } else {
            instant = max(instant, latest)
            latest = instant
        }
        return Arrival(first: instant, copy: copied < impairment.duplication ? instant : nil)
    }

    // The two states of Gilbert's channel: losses at random are bursts of 1 / (1 - loss).

    private var meanBurst: Double { max(impairment.burst, 1 / max(1e-9, 1 - impairment.loss)) }

    private var lossAfterLoss: Double { impairment.loss >= 1 ? 1 : 1 - 1 / meanBurst }

    private var lossAfterArrival: Double {
        impairment.loss >= 1 ? 1 : impairment.loss / (meanBurst * (1 - impairment.loss))
    }

    /// 0 ..< 1.
    private mutating func draw() -> Double {
        Double(random.next() >> 11) * 0x1p-53
    }
}
