import EngineKit
import Testing

@testable import TerminalUI

/// What has least worth goes first as the screen gets smaller; who is on the line and what the keys do stay.
@Suite struct SmallScreenTests {
    private func phone() -> Phone {
        var phone = Phone()
        phone.established(1, "+442079460000")
        phone.receive(
            .quality(
                CallReference(1),
                CallQuality(
                    lossPercent: 0.4, jitterMilliseconds: 6, bufferMilliseconds: 40, roundTripMilliseconds: 31,
                    kilobitsPerSecond: 32, meanOpinionScore: 4.3)))
        phone.wait(.seconds(59))
        return phone
    }

    private static let sizes: [(columns: Int, rows: Int)] = (40...80).flatMap { columns in
        [10, 12, 14, 16, 19, 20, 24].map { (columns, $0) }
    }

    @Test func theCallTheLogTheLineAndTheKeysStayOnEverySize() {
        let phone = phone()
        for (columns, rows) in Self.sizes {
            let canvas = phone.canvas(columns: columns, rows: rows)
            let lines = (0..<rows).map { canvas.text(ofRow: $0) }
            let call = lines.first { $0.contains("+442079460000") }
            #expect(call?.hasPrefix(" ▶ 1  +442079460000") == true && call?.contains("● up 00:59") == true)
            #expect(lines.contains { $0.contains("mic ▁") && $0.contains("MOS 4.3") }, "\(columns)x\(rows)")
            #expect(lines.contains { $0.contains("call 1") && $0.contains("answered") }, "\(columns)x\(rows)")
            #expect(lines[0].contains("work ● ") && lines[0].hasSuffix("12:01"), "\(columns)x\(rows)")
            #expect(lines[rows - 2].contains("dial ▏"), "\(columns)x\(rows)")
            #expect(lines[rows - 1].contains("b hang up") && lines[rows - 1].hasSuffix("q quit"))
        }
    }

    @Test func theBoxHasAllItsKeysOnEverySize() {
        var phone = phone()
        phone.incoming(2, "carol@example.net", name: "Carol")
        for (columns, rows) in Self.sizes {
            let canvas = phone.canvas(columns: columns, rows: rows)
            let text = canvas.dump
            let words = [
                "INCOMING on work", "carol@example.net", "caller not verified", "H hold", "r reject", "i ignore",
            ]
            for word in words {
                #expect(text.contains(word), "\(word) at \(columns)x\(rows)")
            }
            #expect(canvas.text(ofRow: rows - 1).contains("H hold"))
        }
    }

    @Test(arguments: ["?", "r", "C", "l", "L", "c"]) func pagesKeepTheirTitleAndTheCallOnEverySize(key: String) {
        var phone = phone()
        phone.receive(.contact(Party(displayName: "Bob", address: "bob@example.com")))
        phone.type(key)
        for (columns, rows) in Self.sizes {
            let canvas = phone.canvas(columns: columns, rows: rows)
            let lines = (0..<rows).map { canvas.text(ofRow: $0) }
            #expect(lines.contains { $0.contains("▶ 1  +442079460000") }, "\(columns)x\(rows)")
            #expect(lines[rows - 1].hasSuffix("Esc close"))
            #expect(lines[rows - 3].isEmpty == false || key != "?", "\(columns)x\(rows)")
        }
    }

    @Test func whatWasSelectedKeepsItsMetersWhereOthersHaveNoRoom() {
        var phone = phone()
        phone.established(2, "bob@example.com")
        let canvas = phone.canvas(columns: 40, rows: 10)
        let meters = (0..<10).filter { canvas.text(ofRow: $0).contains("mic ") }
        #expect(meters.count == 1)
        #expect(canvas.text(ofRow: (meters.first ?? 0) - 1).hasPrefix(" ▶ 2"))
    }

    @Test func belowTheLeastSizeTheCallsAndTheKeysOfTheBoxAreLeft() {
        var phone = phone()
        phone.incoming(2, "carol@example.net")
        let text = phone.canvas(columns: 39, rows: 9).dump
        #expect(text.contains("INCOMING carol@example.net") && text.contains("a answer  r reject  i ignore"))
        #expect(text.contains("● up") && text.contains("offhook needs 40x10 cells"))
    }
}
