import Testing

@testable import OffhookApp

/// The loopback test of the phone, in real time over real sockets: it must pass, and it must be able to fail.
@Suite(.serialized) struct LoopbackTests {
    private func failures(_ fault: LoopbackTest.PlantedFault?) throws(StartFault) -> [String] {
        var report = try LoopbackTest.measure(seed: 7, fault: fault).report
        #expect(report.exit == (fault == nil ? .success : .expectationFailed))
        defer {
            report.problem = "the call was not over"
            #expect(report.exit == .noMedia)
        }
        return [report.problem].compactMap(\.self) + report.checks.filter { !$0.holds }.map(\.name)
    }

    @Test func passesBetweenTwoSoundPhones() throws {
        #expect(try failures(nil) == [])
    }

    @Test func everyPartOfBothLatenciesIsMeasured() throws {
        let report = try LoopbackTest.measure(seed: 8, fault: nil).report
        let splits = report.directions.compactMap { LatencySplit($0) }
        #expect(splits.count == 2)
        for split in splits {
            #expect(split.network > 0 && split.network < 10, "network \(split.network) ms")
            #expect(split.frame == 20 && split.codec == 6.5)
            #expect(abs(split.rest) < 15, "rest \(split.rest) ms")
        }
    }

    @Test func failsWhereOneSideIsMuted() throws {
        let failures = try failures(.mutedPath)
        #expect(failures.contains("B → A tone 440 Hz"))
        #expect(failures.contains("B → A latency"))
        #expect(!failures.contains("A → B tone 1000 Hz"))
    }

    @Test func failsWhereTheDirectionsAreSwapped() throws {
        let failures = try failures(.swappedDirections)
        #expect(failures.contains("A → B tone 1000 Hz"))
        #expect(failures.contains("A → B foreign tone"))
        #expect(failures.contains("B → A foreign tone"))
    }

    @Test func failsWhereASecondIsLost() throws {
        let failures = try failures(.lostSecond)
        #expect(failures.contains("A → B tone 1000 Hz"))
        #expect(!failures.contains("B → A tone 440 Hz"))
    }

    @Test func failsWhereAnotherCodecWasAgreed() throws {
        #expect(try failures(.codecMismatch).contains("codec"))
    }
}
