import EngineKit
import Testing

@testable import OffhookApp

@Suite struct NetworkImpairmentArgumentTests {
    @Test func readsEveryPart() throws {
        var expected = NetworkImpairment()
        expected.loss = 0.05
        expected.burst = 3
        expected.jitter = .milliseconds(30)
        expected.delay = .milliseconds(80)
        expected.reordering = 0.01
        expected.duplication = 0.005
        expected.seed = 7
        expected.affectsSIP = false
        let text = "loss=5%,burst=3,jitter=30ms,delay=80ms,reorder=1%,dup=0.5%,seed=7,on=rtp"
        #expect(try NetworkImpairment(argument: text) == expected)
        #expect(try NetworkImpairment(argument: "on=sip").affectsRTP == false)
        #expect(try NetworkImpairment(argument: "on=both") == NetworkImpairment())
    }

    @Test(arguments: [
        ("", "'' is not NAME=VALUE"), ("loss", "'loss' is not NAME=VALUE"),
        ("loss=5%,", "'' is not NAME=VALUE"), ("loss=5%,loss=6%", "loss stands there twice"),
        ("loss=5", "loss: '5' is no percentage, such as 5%"), ("dup=101%", "dup: '101%' is no percentage, such as 5%"),
        ("reorder=-1%", "reorder: '-1%' is no percentage, such as 5%"),
        ("burst=0.5", "burst: '0.5' is not between 1 and 1000"),
        ("burst=nan", "burst: 'nan' is not between 1 and 1000"),
        ("delay=3s", "delay: '3s' is more than 2s"),
        ("jitter=30", "jitter: a duration is a number with a unit: 500ms, 40s, 2m or 1h"),
        ("seed=-1", "seed: '-1' is no number"), ("on=tcp", "on: 'tcp' is not rtp, sip or both"),
        ("Loss=5%", "'Loss' is none of loss, burst, jitter, delay, reorder, dup, seed and on"),
        ("loss=5%=6%", "loss: '5%=6%' is no percentage, such as 5%"),
    ])
    func saysWhatIsWrong(text: String, problem: String) {
        #expect(throws: ImpairmentFault(problem)) { try NetworkImpairment(argument: text) }
    }
}
