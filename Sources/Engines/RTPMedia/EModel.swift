import AudioCodecs
import EngineKit

/// How people would judge a call, out of what was measured of it: the E-model of ITU-T G.107, and for Opus its full-band
/// version of G.107.2, with the usual values for all that a phone does not know.
package struct EModel: Equatable, Sendable {
    package var codec: AudioCodec
    /// Of what comes, bits a second; only Opus has more than one.
    package var bitRate: Double
    /// What had to be made up of what was heard, percent: late packets count, those that were brought back do not.
    package var loss: Double
    /// From mouth to ear; nil where it is not known.
    package var delay: Duration?

    package init(codec: AudioCodec, bitRate: Double, loss: Double, delay: Duration? = nil) {
        self.codec = codec
        self.bitRate = bitRate
        self.loss = loss
        self.delay = delay
    }

    /// 1 ... 4.5 for who only listens (MOS-LQ).
    package var listeningQuality: Double { quality(delay: .zero) }

    /// 1 ... 4.5 for who talks too, and so waits (MOS-CQ); nil where the delay is not known.
    package var conversationalQuality: Double? { delay.map { quality(delay: $0) } }

    /// 0 ... 100: R, without the delay where that is not known.
    package var rating: Double { max(0, min(100, rating(delay: delay ?? .zero))) }

    private func quality(delay: Duration) -> Double { Self.opinion(rating: rating(delay: delay)) }

    private func rating(delay: Duration) -> Double {
        let scale =
            switch codec {
            case .opus: Self.fullBand
            case .g722, .l16: Self.wideBand
            case .pcmu, .pcma: Self.narrowBand
            }
        let rating = (scale.best - impairment.effective(loss: loss, worst: scale.worst)) / scale.unit
        return rating - Self.impairment(ofDelay: delay)
    }

    /// The rating without any impairment of codec and delay, what the loss of all packets takes of it (G.107 §7.5, G.107.1
    /// §7.5, G.107.2 §7.5), and how much of it makes one of narrow band (their annexes A).
    private static let narrowBand = (best: 93.2, worst: 95.0, unit: 1.0)
    private static let wideBand = (best: 129.0, worst: 95.0, unit: 1.29)
    private static let fullBand = (best: 148.0, worst: 132.0, unit: 1.48)

    /// G.107 §B: the mean opinion that belongs to a rating.
    static func opinion(rating: Double) -> Double {
        let rating = max(0, min(100, rating))
        // The cubic dips below 1 at the lowest ratings.
        return max(1, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6)
    }

    /// What absolute delay costs where there is no echo, on the scale of narrow band: G.107 (7-27), with the usual
    /// sensitivity of listeners and 100 ms that nobody minds.
    static func impairment(ofDelay delay: Duration) -> Double {
        let ratio = max(0, delay.milliseconds) / 100
        guard ratio > 1 else { return 0 }
        let x = AudioMath.logarithm(ratio) / AudioMath.logarithm(2)
        func term(_ value: Double) -> Double {
            let square = value * value
            return AudioMath.exponential(AudioMath.logarithm(1 + square * square * square) / 6)
        }
        return 25 * (term(x) - 3 * term(x / 3) + 2)
    }

    // MARK: - Codecs

    /// What a codec costs without loss, and how well it bears loss at random.
    struct Impairment: Equatable {
        var equipment: Double
        var robustness: Double

        /// Loss is taken for random, as how it comes in bursts is not known: G.107 (7-29), with BurstR of 1.
        func effective(loss: Double, worst: Double) -> Double {
            let loss = max(0, min(100, loss))
            return equipment + (worst - equipment) * loss / (loss + robustness)
        }
    }

    /// G.113 appendix I: G.711 with concealment.
    private static let waveform = Impairment(equipment: 0, robustness: 25.1)

    /// G.113 appendix IV, with the robustness of G.711, as what is lost is made up in the same way.
    private static let g722 = Impairment(equipment: 13, robustness: 25.1)

    /// Opus at variable bit rate, in kbit/s: M. Alahmadi, P. Pocta, H. Melvin, "An Adaptive Bitrate Switching Algorithm for
    /// Speech Applications in Context of WebRTC", ACM TOMM 17 (4), 2021.
    private static let opus: InlineArray<11, (bitRate: Double, impairment: Impairment)> = [
        (14, Impairment(equipment: 38.06, robustness: 16.51)), (15, Impairment(equipment: 34.12, robustness: 15.00)),
        (16, Impairment(equipment: 30.16, robustness: 11.83)), (19, Impairment(equipment: 23.81, robustness: 10.67)),
        (22, Impairment(equipment: 20.22, robustness: 10.47)),
        (25, Impairment(equipment: 20.21, robustness: 11.28)), (28, Impairment(equipment: 18.48, robustness: 10.63)),
        (31, Impairment(equipment: 16.83, robustness: 10.44)), (34, Impairment(equipment: 14.76, robustness: 10.12)),
        (37, Impairment(equipment: 12.08, robustness: 10.38)), (40, Impairment(equipment: 10.67, robustness: 9.79)),
    ]

    var impairment: Impairment {
        guard codec == .opus else { return codec == .g722 ? Self.g722 : Self.waveform }
        let rate = bitRate / 1_000
        var below = Self.opus[0]
        for index in Self.opus.indices {
            let above = Self.opus[index]
            guard above.bitRate < rate else {
                guard above.bitRate > below.bitRate else { return above.impairment }
                let part = max(0, (rate - below.bitRate) / (above.bitRate - below.bitRate))
                return Impairment(
                    equipment: below.impairment.equipment
                        + part * (above.impairment.equipment - below.impairment.equipment),
                    robustness: below.impairment.robustness
                        + part * (above.impairment.robustness - below.impairment.robustness))
            }
            below = above
        }
        return below.impairment
    }
}
