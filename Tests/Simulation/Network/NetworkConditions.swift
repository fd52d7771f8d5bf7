/// How a simulated network treats what is sent.
package struct NetworkConditions: Equatable, Sendable {
    package static let usualDelay = Duration.milliseconds(10)

    /// The share of datagrams that never arrive, 0 to 1.
    package var loss: Double
    /// The share of datagrams that arrive twice.
    package var duplication: Double
    /// The share of datagrams that take up to `lateness` longer, so that later ones overtake them.
    package var reordering: Double
    package var lateness: Duration
    /// The share of datagrams that are changed on their way.
    package var corruption: Double
    /// The delay of every message, over streams too.
    package var delay: ClosedRange<Duration>
    /// Whether streams arrive in pieces that are cut anywhere.
    package var cutsStreams: Bool

    package init(
        loss: Double = 0, duplication: Double = 0, reordering: Double = 0, lateness: Duration = .milliseconds(700),
        corruption: Double = 0, delay: ClosedRange<Duration> = usualDelay...usualDelay, cutsStreams: Bool = false
    ) {
        self.loss = loss
        self.duplication = duplication
        self.reordering = reordering
        self.lateness = lateness
        self.corruption = corruption
        self.delay = delay
        self.cutsStreams = cutsStreams
    }

    /// Nothing is lost, and each message takes 10 ms.
    package static let perfect = NetworkConditions()

    /// The same delays without any mishap.
    package var calm: NetworkConditions { NetworkConditions(delay: delay, cutsStreams: cutsStreams) }
}
