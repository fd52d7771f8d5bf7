import Proofs
import Testing

@testable import SDP

@Suite struct OpusParametersTests {
    @Test(.proves(.clause("RFC 7587 §6.1")))
    func assumesTheDefaultsOfRFC7587() {
        let parameters = OpusParameters(parsing: "")
        #expect(parameters == OpusParameters())
        #expect(parameters.maxPlaybackRate == 48_000)
        #expect(!parameters.useInbandFEC && !parameters.useDTX && !parameters.stereo && !parameters.cbr)
        #expect(parameters.text == nil)
    }

    @Test(.proves(.clause("RFC 7587 §6.1")))
    func readsEveryParameterWithBlanksAndAnyCase() {
        let parameters = OpusParameters(
            parsing: """
                maxplaybackrate=16000; sprop-maxcapturerate=24000 ;MaxAverageBitrate=20000;stereo=1; sprop-stereo=1;\
                cbr=1;useinbandfec = 1;usedtx=1;minptime=10;ptime=40;maxptime=60;future=7
                """)
        var expected = OpusParameters()
        expected.maxPlaybackRate = 16_000
        expected.spropMaxCaptureRate = 24_000
        expected.maxAverageBitrate = 20_000
        (expected.stereo, expected.spropStereo, expected.cbr) = (true, true, true)
        (expected.useInbandFEC, expected.useDTX) = (true, true)
        (expected.minptime, expected.ptime, expected.maxptime) = (10, 40, 60)
        #expect(parameters == expected)
    }

    @Test(
        .proves(.clause("RFC 7587 §6.1")),
        arguments: [
            "maxplaybackrate=7999", "maxplaybackrate=48001", "maxaveragebitrate=5999", "maxaveragebitrate=510001",
            "maxaveragebitrate=99999999999999999999", "stereo=2", "useinbandfec=yes", "usedtx", "=1", ";;;", "cbr=-1",
            "maxptime=0", "ptime=201", "\u{fffd}=\u{fffd}",
        ])
    func ignoresValuesOutOfRange(text: String) {
        #expect(OpusParameters(parsing: text) == OpusParameters())
    }

    @Test(.proves(.clause("RFC 7587 §6.1")))
    func readsBackWhatItWrites() {
        var parameters = OpusParameters.inbandFEC
        #expect(parameters.text == "useinbandfec=1")
        parameters.maxPlaybackRate = 16_000
        parameters.maxAverageBitrate = 24_000
        (parameters.stereo, parameters.cbr, parameters.useDTX, parameters.minptime) = (true, true, true, 10)
        #expect(OpusParameters(parsing: parameters.text ?? "") == parameters)
    }
}
