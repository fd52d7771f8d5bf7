import EngineKit
import MediaRuntime
import Proofs
import SIPMessages
import Testing

@testable import OffhookApp

@Suite struct ExitStatusTests {
    @Test(arguments: [
        (200, 0), (302, 18), (401, 14), (403, 12), (404, 13), (407, 14), (408, 10), (410, 13), (415, 16), (480, 10),
        (484, 13), (486, 11), (487, 10), (488, 16), (500, 17), (503, 17), (600, 11), (603, 12), (604, 13), (606, 16),
        (607, 12), (608, 12), (400, 19), (420, 19), (699, 19),
    ])
    func standsForTheFinalResponse(status: Int, code: Int32) throws {
        let status = try #require(StatusCode(status))
        #expect(OffhookApp.ExitStatus(finalResponse: status).code == code)
    }

    @Test func reportsTheGravestOfSeveral() {
        let order: [OffhookApp.ExitStatus] = [
            .internalError, .audioDevice, .network, .busy, .noMedia, .expectationFailed, .success,
        ]
        for (index, status) in order.enumerated() {
            for other in order[(index + 1)...] {
                #expect(status.worse(than: other))
                #expect(!other.worse(than: status))
            }
        }
    }
}

@Suite struct JSONTests {
    @Test func writesMembersInTheirOrder() {
        let value = JSON.object([
            .init("b", .integer(1)), .init("a", .array([.null, .bool(true)])), .init("c", .decimal(-0.0456, places: 2)),
        ])
        #expect(value.description == #"{"b":1,"a":[null,true],"c":-0.05}"#)
    }

    @Test(.proves(.rule(20), .incident(73)))
    func escapesWhatATerminalOrAParserWouldTakeAmiss() {
        #expect(JSON.string("a\"\\\n\u{1B}[2J\u{9B}é\u{2028}").description == #""a\"\\\n\u001b[2J\u009bé\u2028""#)
    }

    @Test(.proves(.rule(20), .incident(73)))
    func escapesWhatWouldShowALineBackwards() {
        #expect(JSON.string("a\u{202E}b\u{E0001}").description == #""a\u202eb\udb40\udc01""#)
    }

    @Test func writesNoNumberThatJSONDoesNotKnow() {
        #expect(JSON.decimal(.nan, places: 1).description == "null")
        #expect(JSON.decimal(-.infinity, places: 1).description == "null")
        #expect(JSON.decimal(1e300, places: 3).description == "null")
        #expect(JSON.decimal(0.999, places: 2).description == "1.00")
        #expect(JSON.integer(UInt64.max).description == "9223372036854775807")
    }
}

@Suite struct DurationArgumentTests {
    @Test(arguments: [("500ms", 500), ("40s", 40_000), ("2m", 120_000), ("1h", 3_600_000), ("1.5s", 1500), ("0s", 0)])
    func readsANumberWithItsUnit(text: String, milliseconds: Int) throws {
        #expect(try Duration(argument: text) == .milliseconds(milliseconds))
    }

    @Test(arguments: ["", "5", "s", "-5s", "5 s", "5d", "1e3s", ".s", "1..2s", "nans", "0x10s"])
    func refusesAnythingElseAndSaysWhatItTakes(text: String) {
        #expect(throws: DurationFault.notANumberWithAUnit) { try Duration(argument: text) }
        #expect(DurationFault.notANumberWithAUnit.description.contains("500ms"))
    }

    @Test(arguments: ["99999999999999h", "277778h", String(repeating: "9", count: 400) + "s"])
    func refusesMoreThanThirtyYears(text: String) {
        #expect(throws: DurationFault.tooLong) { try Duration(argument: text) }
        #expect(throws: Never.self) { try Duration(argument: "277777h") }
    }
}

@Suite struct CallScriptTests {
    private func script(_ change: (inout CallScriptOptions) -> Void) throws(CallScript.Fault) -> CallScript {
        var options = CallScriptOptions()
        change(&options)
        return try CallScript(options)
    }

    @Test func takesDigitsPausesAndWaits() throws {
        #expect(try script { $0.dtmf = "w1,#a" }.digits == "w1,#a")
    }

    @Test func namesTheOptionThatIsWrong() {
        let wrong: [(String, (inout CallScriptOptions) -> Void)] = [
            ("--dtmf", { $0.dtmf = "12x" }), ("--play", { $0.play = "tone:1" }), ("--play", { $0.play = "" }),
            ("--expect-tone", { $0.expectedTone = .nan }), ("--expect-dtmf", { $0.expectedDigits = "" }),
            ("--expect-status", { $0.expectedStatus = 100 }), ("--header", { $0.headers = ["NoColon"] }),
            ("--header", { $0.headers = ["Via: SIP/2.0/UDP x"] }), ("--header", { $0.headers = ["X-A: b\r\nX-B: c"] }),
            ("--header", { $0.headers = ["X A: b"] }), ("--header", { $0.headers = ["Recv-Info: x"] }),
            ("--header", { $0.headers = ["X-A: " + String(repeating: "b", count: 4096)] }),
            ("--header", { $0.headers = Array(repeating: "X-A: b", count: 65) }),
            ("--dtmf", { $0.dtmf = String(repeating: "1", count: 65) }), ("--record", { $0.record = "" }),
            ("--record-format", { $0.recordFormat = .mono }),
            ("--ring-timeout", { $0.ringTimeout = .zero }),
        ]
        for (option, change) in wrong {
            do {
                _ = try script(change)
                Issue.record("\(option) was taken")
            } catch {
                #expect(error.option == option)
            }
        }
    }

    @Test func takesFilesAndTones() throws {
        #expect(try script { $0.play = "a:b.wav" }.play == .file("a:b.wav"))
        #expect(try script { $0.play = "tone:440,-6" }.play == .tone(hertz: 440, level: -6))
    }
}

@Suite struct AnsweringPlanTests {
    private func fault(_ change: (inout AnsweringOptions) -> Void) -> CallScript.Fault? {
        var options = AnsweringOptions()
        change(&options)
        do {
            _ = try AnsweringPlan(options, script: CallScript())
            return nil
        } catch {
            return error
        }
    }

    @Test func namesTheOptionThatIsWrong() {
        for code in [Int.min, 0, 100, 199, 202, 700, Int.max] {
            #expect(fault { $0.code = code }?.option == "--code")
        }
        for count in [Int.min, -1, 0] { #expect(fault { $0.count = count }?.option == "--count") }
        #expect(
            fault {
                $0.code = 486
                $0.reason = "Not\r\nNow"
            }?.option == "--reason")
    }

    /// What such a response is about stands in a header, without which it says nothing.
    @Test func takesResponsesThatNeedAHeaderWithThatHeaderAlone() throws {
        for (code, header) in [(415, "Accept: application/sdp"), (420, "Unsupported: 100rel"), (422, "Min-SE: 90")] {
            #expect(fault { $0.code = code }?.option == "--code")
            var options = AnsweringOptions()
            options.code = code
            var script = CallScriptOptions()
            script.headers = [header]
            #expect(try AnsweringPlan(options, script: CallScript(script)).status.value == code)
        }
        #expect(fault { $0.code = 405 }?.option == "--code")
    }

    /// A 200 has its own phrase: one that was never sent would be a silent lie.
    @Test func takesAPhraseForARefusalAlone() {
        #expect(fault { $0.reason = "Come In" }?.option == "--reason")
        #expect(
            fault {
                $0.code = 486
                $0.reason = "Not Now"
            } == nil)
    }
}
