import EngineKit
import Proofs
import SIPMessages
import Testing

struct StreamFramerTests {
    private static let stream: [UInt8] =
        Array("\r\n\r\n".utf8) + requestText(body: "hello") + requestText(method: "BYE")
        + Array("\r\n".utf8) + requestText(method: "OPTIONS", extra: ["Subject: a\r\n b"], body: "\r\n\r\nx")

    private static let frames: [StreamFramer.Frame] = [
        .keepAlivePong, .keepAlivePing, .message(requestText(body: "hello")), .message(requestText(method: "BYE")),
        .keepAlivePong, .message(requestText(method: "OPTIONS", extra: ["Subject: a\r\n b"], body: "\r\n\r\nx")),
    ]

    private func drain(_ framer: inout StreamFramer) throws -> [StreamFramer.Frame] {
        var frames: [StreamFramer.Frame] = []
        while let frame = try framer.next() { frames.append(frame) }
        return frames
    }

    @Test(.proves(.row(33), .clause("RFC 3261 §18.3")))
    func framesAreTheSameHoweverTheStreamIsCut() throws {
        var whole = StreamFramer()
        whole.append(Self.stream)
        #expect(try drain(&whole) == Self.frames)
        var drip = StreamFramer()
        var dripped: [StreamFramer.Frame] = []
        for byte in Self.stream {
            drip.append([byte])
            dripped += try drain(&drip)
        }
        #expect(dripped == Self.frames)
        for cut in Self.stream.indices {
            var framer = StreamFramer()
            framer.append(Self.stream[..<cut])
            var frames = try drain(&framer)
            framer.append(Self.stream[cut...])
            frames += try drain(&framer)
            #expect(frames == Self.frames)
            #expect(framer.pending == 0)
        }
    }

    @Test(
        .proves(.row(33), .rule(15), .incident(35), .clause("RFC 3261 §18.3")),
        arguments: [
            (["Content-Length": nil], FramingError.Kind.missingContentLength),
            (["Content-Length": "-3"], .badContentLength),
            (["Content-Length": "5 5"], .badContentLength),
            (["Content-Length": "99999999999999999999"], .badContentLength),
            (["Content-Length": "4294967295"], .tooLong),
            (["Content-Length": "0\r\nl: 0"], .repeatedContentLength),
        ] as [([String: String?], FramingError.Kind)])
    func badLengthEndsTheStream(_ replacing: [String: String?], _ kind: FramingError.Kind) throws {
        var framer = StreamFramer()
        framer.append(requestText(replacing: replacing))
        let error = try #require(#expect(throws: FramingError.self) { try framer.next() })
        #expect(error.kind == kind)
        #expect(error.head.starts(with: Array("INVITE".utf8)))
        framer.append(requestText())
        #expect(throws: error) { try framer.next() }
        #expect(framer.pending == 0)
    }

    @Test(.proves(.rule(12), .incident(36)))
    func endlessHeadIsCutOff() {
        var framer = StreamFramer()
        var appended = 0
        var failed = false
        while appended < 1_000_000, !failed {
            framer.append([UInt8](repeating: 65, count: 1000))
            appended += 1000
            do throws(FramingError) { _ = try framer.next() } catch { failed = error.kind == .tooLong }
        }
        #expect(failed)
        #expect(appended < 67_000)
    }
}
