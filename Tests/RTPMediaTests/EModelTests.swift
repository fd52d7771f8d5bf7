import AudioCodecs
import EngineKit
import Proofs
import Testing

@testable import RTPMedia

/// What people would say of a call.
struct EModelTests {
    private func isClose(_ value: Double?, _ expected: Double, within tolerance: Double = 0.01) -> Bool {
        value.map { abs($0 - expected) <= tolerance } ?? false
    }

    @Test func theOpinionsOfG107() {
        // G.107 table B.1: ratings and the mean opinions that belong to them.
        for (rating, opinion) in [(90.0, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58)] {
            #expect(isClose(EModel.opinion(rating: rating), opinion))
        }
        #expect(EModel.opinion(rating: -5) == 1 && isClose(EModel.opinion(rating: 130), 4.5))
    }

    @Test func delayCostsNothingUpToATenthOfASecond() {
        #expect(EModel.impairment(ofDelay: .milliseconds(100)) == 0)
        // X is 1 at 200 ms and 2 at 400 ms.
        #expect(isClose(EModel.impairment(ofDelay: .milliseconds(200)), 3.04))
        #expect(isClose(EModel.impairment(ofDelay: .milliseconds(400)), 24.09, within: 0.1))
        #expect(EModel.impairment(ofDelay: .seconds(-1)) == 0)
    }

    @Test func telephoneQualityIsWhatItWas() {
        let call = EModel(codec: .pcma, bitRate: 64_000, loss: 0, delay: .milliseconds(60))
        #expect(isClose(call.listeningQuality, 4.41) && isClose(call.conversationalQuality, 4.41))
        // Ie,eff of 95 * 5 / 30.1.
        let lossy = EModel(codec: .pcmu, bitRate: 64_000, loss: 5)
        #expect(isClose(lossy.listeningQuality, EModel.opinion(rating: 93.2 - 15.78)))
        #expect(lossy.conversationalQuality == nil)
    }

    /// Between the telephone and Opus: 129 without impairment, of which G.722 takes 13 (G.107.1, G.113 appendix IV).
    @Test func wideBandIsBetterThanTheTelephone() {
        let wide = EModel(codec: .g722, bitRate: 64_000, loss: 0)
        #expect(isClose(wide.listeningQuality, EModel.opinion(rating: 116 / 1.29)))
        let linear = EModel(codec: .l16, bitRate: 256_000, loss: 0)
        #expect(isClose(linear.listeningQuality, EModel.opinion(rating: 100)))
        #expect(EModel(codec: .g722, bitRate: 64_000, loss: 5).listeningQuality < 4)
    }

    @Test func opusIsBetterWithMoreBitsAndWorseWithLoss() {
        let opinions = [14_000.0, 20_000, 28_000, 34_000, 40_000, 64_000].map {
            EModel(codec: .opus, bitRate: $0, loss: 0).listeningQuality
        }
        #expect(opinions == opinions.sorted() && opinions[4] == opinions[5])
        #expect(isClose(opinions[4], EModel.opinion(rating: (148 - 10.67) / 1.48)))
        let losses = [0.0, 1, 5, 20, 100].map { EModel(codec: .opus, bitRate: 40_000, loss: $0).listeningQuality }
        #expect(losses == losses.sorted(by: >) && Set(losses).count == 5)
    }

    @Test func betweenTwoBitRatesItIsBetween() {
        let between = EModel(codec: .opus, bitRate: 38_500, loss: 0).impairment
        #expect(isClose(between.equipment, (12.08 + 10.67) / 2) && isClose(between.robustness, (10.38 + 9.79) / 2))
    }

    @Test func anyNumbersGiveAnOpinion() {
        for number in [0, -1, 1e300, .infinity, -.infinity] as [Double] {
            for codec in AudioCodec.allCases {
                let call = EModel(codec: codec, bitRate: number, loss: number, delay: .seconds(1_000_000_000))
                #expect((1...4.5).contains(call.listeningQuality))
                #expect((1...4.5).contains(call.conversationalQuality ?? 0))
            }
        }
    }

    // MARK: - Of a call

    private func call(_ impairment: Impairment = .none) throws -> VirtualCall {
        let call = try VirtualCall(
            VirtualCall.configuration(.opus, to: VirtualCall.addressB, jitterTarget: nil),
            VirtualCall.configuration(.opus, to: VirtualCall.addressA, jitterTarget: nil), impairment: impairment)
        call.a.tone(440)
        return call
    }

    @Test func aCallIsJudgedOnceItIsHeard() throws {
        let call = try call()
        #expect(call.b.session.statistics.listeningMOS == nil)
        call.run(.seconds(1))
        let early = call.b.session.statistics
        #expect(try #require(early.listeningMOS) > 4.2)
        call.run(.seconds(15))
        let statistics = call.b.session.statistics
        #expect(isClose(statistics.listeningMOS, 4.40, within: 0.15))
        // 20 of a packet, 6.5 of the codec, 5 of the network and what is held.
        let latency = try #require(statistics.latencyMilliseconds)
        #expect(abs(latency - 31.5 - statistics.bufferMilliseconds) < 12)
        #expect(statistics.conversationalMOS == statistics.listeningMOS)
    }

    @Test func whatHadToBeMadeUpCosts() throws {
        var opinions: [Double] = []
        for loss in [0, 0.05, 0.2] {
            let call = try call(Impairment(loss: loss))
            call.run(.seconds(30))
            opinions.append(try #require(call.b.session.statistics.listeningMOS))
        }
        #expect(opinions == opinions.sorted(by: >))
        #expect(opinions[0] - opinions[2] > 0.3)
    }

    @Test func waitingCostsWhoTalks() throws {
        let call = try call(Impairment(delay: .milliseconds(300)))
        call.run(.seconds(20))
        let statistics = call.b.session.statistics
        #expect(try #require(statistics.conversationalMOS) < #require(statistics.listeningMOS) - 0.4)
    }

    @Test func whoIsQuietIsNotJudgedByItsSilence() throws {
        let call = try call()
        call.a.speaks = { [Int16](repeating: 0, count: $0) }
        call.run(.seconds(10))
        #expect(try #require(call.b.session.statistics.listeningMOS) > 4.3)
    }

    @Test func whoIsNotHeardAnyMoreCosts() throws {
        let call = try call()
        call.run(.seconds(5))
        call.filter = { _, toB, isRTCP, _ in !toB || isRTCP }
        call.run(.milliseconds(800))
        #expect(try #require(call.b.session.statistics.listeningMOS) > 4.2)
        call.run(.seconds(10))
        #expect(try #require(call.b.session.statistics.listeningMOS) < 2)
    }
}
