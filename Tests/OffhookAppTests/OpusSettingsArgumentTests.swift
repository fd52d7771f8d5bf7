import AudioCodecs
import Testing

@testable import OffhookApp

@Suite struct OpusSettingsArgumentTests {
    @Test func readsEveryPart() throws {
        let expected = OpusSettings(complexity: 5, bitRate: 32_000, usesInBandFEC: true, usesDTX: false)
        #expect(try OpusSettings(argument: "bitrate=32000,complexity=5,fec=on,dtx=off") == expected)
        #expect(try OpusSettings(argument: "dtx=on") == OpusSettings(usesDTX: true))
        #expect(try OpusSettings(argument: "complexity=0").complexity == 0)
        #expect(try OpusSettings(argument: "bitrate=510000").bitRate == 510_000)
    }

    @Test(arguments: [
        ("", "'' is not NAME=VALUE"), ("fec", "'fec' is not NAME=VALUE"), ("fec=on,", "'' is not NAME=VALUE"),
        ("fec=on,fec=on", "fec stands there twice"), ("fec=yes", "fec: 'yes' is not on or off"),
        ("dtx=", "dtx: '' is not on or off"), ("Fec=on", "'Fec' is none of bitrate, complexity, fec and dtx"),
        ("bitrate=5999", "bitrate: '5999' is not between 6000 and 510000"),
        ("bitrate=510001", "bitrate: '510001' is not between 6000 and 510000"),
        ("bitrate=32k", "bitrate: '32k' is not between 6000 and 510000"),
        ("bitrate=99999999999999999999", "bitrate: '99999999999999999999' is not between 6000 and 510000"),
        ("complexity=11", "complexity: '11' is not between 0 and 10"),
        ("complexity=-1", "complexity: '-1' is not between 0 and 10"),
        ("complexity=+1", "complexity: '+1' is not between 0 and 10"),
    ])
    func saysWhatIsWrong(text: String, problem: String) {
        #expect(throws: OpusSettingsFault(problem)) { try OpusSettings(argument: text) }
    }
}
