import Proofs
import SIPMessages
import Testing

/// Bodies of several parts (RFC 2046 §5.1, RFC 5621).
@Suite(.proves(.clause("RFC 2046 §5.1")))
struct MultipartBodyTests {
    private let type = ContentType("multipart", "mixed", parameters: Parameters(.field, [("boundary", "b1")]))

    private func parts(_ text: String) throws -> [String] {
        try MultipartBody(parsing: Array(text.utf8), type: type).parts.map { String(decoding: $0.body, as: UTF8.self) }
    }

    private func fault(_ text: String, _ type: ContentType? = nil) -> MultipartBody.Fault? {
        do throws(MultipartBody.Fault) {
            _ = try MultipartBody(parsing: Array(text.utf8), type: type ?? self.type)
            return nil
        } catch {
            return error
        }
    }

    @Test func findsThePartsBetweenTheBoundaries() throws {
        let text = """
            this is passed over\r
            --b1\r
            Content-Type: application/sdp\r
            Content-Disposition: session;\r
              handling=required\r
            Content-Length: 3\r
            \r
            v=0\r
            --b1 \t\r
            \r
            plain\r
            text\r
            --b1--\r
            and this too
            """
        let body = try MultipartBody(parsing: Array(text.utf8), type: type)
        #expect(body.parts.map(\.contentType) == [.sdp, .plainText])
        #expect(body.parts.map { String(decoding: $0.body, as: UTF8.self) } == ["v=0", "plain\r\ntext"])
        #expect(try body.parts[0].headers.first(ContentDisposition.self)?.parameters["handling"] == "required")
        #expect(!body.parts[0].isOptional)
    }

    @Test func aLineThatOnlyBeginsLikeABoundaryIsContent() throws {
        #expect(try parts("--b1\r\n\r\n--b12\r\n--b1-\r\nx--b1\r\n--b1--") == ["--b12\r\n--b1-\r\nx--b1"])
    }

    @Test func aPartMayBeEmptyOrOfHeadersAlone() throws {
        #expect(try parts("--b1\r\n--b1\r\n\r\n--b1\r\nContent-Type: text/html\r\n--b1--") == ["", "", ""])
    }

    @Test(.proves(.incident(2), .incident(25)))
    func whatHasNoBoundaryPartOrEndIsRefused() {
        #expect(fault("x", ContentType("multipart", "mixed")) == .boundary)
        let long = Parameters(.field, [("boundary", String(repeating: "b", count: 71))])
        #expect(fault("x", ContentType("multipart", "mixed", parameters: long)) == .boundary)
        #expect(fault("no boundary at all") == .noPart)
        #expect(fault("--b1--\r\n") == .noPart)
        #expect(fault("--b1\r\n\r\nunfinished\r\n") == .unterminated)
        #expect(fault("--b1\r\nno header\r\n\r\n--b1--") == .headerLine)
        #expect(fault("--b1\r\nSubject: a\u{0}b\r\n\r\n--b1--") == .headerLine)
    }

    @Test(.proves(.rule(12)))
    func eightPartsAreTakenAndNineAreNot() throws {
        let eight = String(repeating: "--b1\r\n\r\nx\r\n", count: 8) + "--b1--"
        #expect(try parts(eight).count == 8)
        #expect(fault("--b1\r\n\r\nx\r\n" + eight) == .tooManyParts)
    }

    @Test(.proves(.incident(5)))
    func whatIsWrittenIsReadAgainWhateverThePartsHold() throws {
        let contents = ["", "--offhook-0\r\n", "offhook-1", "a\r\n--offhook-0--\r\n", "\u{0}\u{1}\r", "\r\n\r\n"]
        var headers = Headers()
        headers.append(ContentType("application", "x-any"))
        let body = MultipartBody(
            parts: contents.map { MultipartBody.Part(headers: headers, body: Array($0.utf8)) })
        let (type, bytes) = body.written()
        #expect(type.parameters["boundary"] == "offhook-2")
        #expect(try MultipartBody(parsing: bytes, type: type) == body)
    }

    /// Each truncation of a sound body, and each byte of it changed: a value or a fault, and what was read is written
    /// and read again to the same.
    @Test(.proves(.incident(2), .incident(3), .incident(4), .incident(5)))
    func anythingThatIsReadSurvivesBeingWritten() throws {
        let text = "p\r\n--b1\r\nContent-Type: a/b;c=d\r\n e\r\nX: y\r\n\r\none\r\n--b1\r\n\r\ntwo\r\n--b1--\r\n"
        let sound = Array(text.utf8)
        var inputs = sound.indices.map { Array(sound[..<$0]) }
        for index in sound.indices {
            for byte in [0x00, 0x0a, 0x0d, 0x20, 0x2d, 0x3a, 0xff] as [UInt8] {
                var changed = sound
                changed[index] = byte
                inputs.append(changed)
            }
        }
        var read = 0
        for input in inputs {
            guard let body = try? MultipartBody(parsing: input, type: type) else { continue }
            read += 1
            let (type, bytes) = body.written()
            #expect(try MultipartBody(parsing: bytes, type: type) == body)
        }
        #expect(read > 100)
    }
}
