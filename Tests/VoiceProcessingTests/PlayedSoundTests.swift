import EngineKit
import Testing

@testable import VoiceProcessing

struct PlayedSoundTests {
    private let start = Instant(nanoseconds: 1_000_000_000)

    /// Plays a counter from 1 on, of so many periods of 10 ms.
    private func play(_ periods: Int, into played: inout PlayedSound, jitter: Duration = .zero) {
        for period in 0..<periods {
            let samples = (0..<480).map { Int16(truncatingIfNeeded: period * 480 + $0 + 1) }
            let late = period % 2 == 0 ? Duration.zero : jitter
            played.append(samples.span, heardAt: start + .milliseconds(10 * period) + late)
        }
    }

    private func read(_ count: Int, from played: inout PlayedSound, at instant: Instant) -> [Int16] {
        var samples = [Int16](repeating: -1, count: count)
        var span = samples.mutableSpan
        played.read(into: &span, spokenAt: instant)
        return samples
    }

    @Test func givesWhatWasPlayedThen() {
        var played = PlayedSound()
        play(50, into: &played)
        // And is ahead by 10 ms.
        #expect(read(3, from: &played, at: start + .milliseconds(90)) == [4_801, 4_802, 4_803])
        #expect(read(2, from: &played, at: start + .milliseconds(90)) == [4_804, 4_805])
    }

    @Test func countsWhereTimesAreUncertain() {
        var played = PlayedSound()
        play(50, into: &played, jitter: .milliseconds(3))
        let first = read(480, from: &played, at: start + .milliseconds(100))
        let second = read(480, from: &played, at: start + .milliseconds(122))
        let third = read(480, from: &played, at: start + .milliseconds(107))
        #expect(second.first == first[479] + 1)
        #expect(third.first == second[479] + 1)
    }

    @Test func isSilentWhereNothingWasPlayed() {
        var played = PlayedSound()
        #expect(read(2, from: &played, at: start) == [0, 0])
        play(150, into: &played)
        // Only the last second is kept, and nothing is played yet.
        #expect(read(2, from: &played, at: start + .milliseconds(50)) == [0, 0])
        var late = PlayedSound()
        play(1, into: &late)
        #expect(read(2, from: &late, at: start + .seconds(1)) == [0, 0])
        for instant in [Instant.distantFuture, Instant(nanoseconds: .min), .zero] {
            var other = PlayedSound()
            play(1, into: &other)
            #expect(read(2, from: &other, at: instant) == [0, 0])
        }
    }

    @Test func followsTimesThatContradictTheCountForLong() {
        var played = PlayedSound()
        play(90, into: &played)
        _ = read(480, from: &played, at: start + .milliseconds(80))
        // From here on the microphone gives what it heard 40 ms later.
        var places: [Int16] = []
        for period in 1...30 {
            places.append(read(480, from: &played, at: start + .milliseconds(120 + 10 * period))[0])
        }
        #expect(places[0] == 4_801)
        #expect(places[23] == 4_801 + 23 * 480)
        #expect(places[25] == 4_801 + 25 * 480 + 40 * 48)
    }

    /// A first time that was 2 ms off is kept: what was learnt by it holds behind a leap, too.
    @Test func aLeapIsFollowedByItsLengthAlone() {
        var played = PlayedSound()
        play(60, into: &played)
        // Behind what is played there is silence, of which the places are counted all the same.
        _ = read(480, from: &played, at: start + .milliseconds(82))
        var places: [Int16] = []
        for period in 1...50 {
            let leap = Duration.milliseconds(period > 20 ? -22 : 0)
            places.append(read(480, from: &played, at: start + .milliseconds(80 + 10 * period) + leap)[0])
        }
        let (first, last, behind) = (Int(places[0]), Int(places[19]), Int(places[49]))
        #expect(first == 4_897)
        #expect(last == 4_417 + 9_600)
        let leapt: Int = 4_417 + 24_000 - 1_056
        #expect(abs(behind - leapt) <= 80, "\(behind - leapt)")
    }

    @Test func beginsAnewBehindAPause() {
        var played = PlayedSound()
        play(10, into: &played)
        _ = read(480, from: &played, at: start + .milliseconds(50))
        let samples = [Int16](repeating: 7, count: 480)
        played.append(samples.span, heardAt: start + .seconds(5))
        #expect(read(1, from: &played, at: start + .seconds(5) - .milliseconds(8)) == [7])
        #expect(read(1, from: &played, at: start + .seconds(5) - .milliseconds(8)) == [7])
        var third = PlayedSound()
        play(10, into: &third)
        third.append(samples.span, heardAt: start + .seconds(5))
        // What was played before the pause is forgotten.
        #expect(read(1, from: &third, at: start + .seconds(5) - .milliseconds(15)) == [0])
    }
}
