import Testing

@testable import SIPMessages

struct HeaderNameTests {
    @Test(arguments: KnownHeader.allCases)
    func knowsEachNameInAnyCaseAndItsShortForm(header: KnownHeader) throws {
        for name in [header.spelling, header.spelling.uppercased(), header.spelling.lowercased()] {
            #expect(HeaderName(name)?.known == header)
            #expect(found(name + ": a value that goes on for a while") == header)
        }
        if let short = HeaderName(header).compactForm { #expect(found(short.uppercased() + ": value") == header) }
    }

    @Test(arguments: KnownHeader.allCases)
    func takesNoLongerOrShorterNameForAKnownOne(header: KnownHeader) throws {
        #expect(HeaderName(header.spelling + "x")?.known == nil)
        #expect(found(header.spelling + "x: a value that goes on for a while") == nil)
        #expect(found("x" + header.spelling + ": a value that goes on for a while") == nil)
    }

    @Test func findsNamesOfEachLengthBeforeWhiteSpace() throws {
        let lines = [
            "User-Agent \t: a", "Content-Disposition : render", "k\t: timer",
            "X-\(String(repeating: "y", count: 60)): b",
        ]
        let headers = try parsedRequest(requestText(extra: lines)).headers
        #expect(headers.first(.userAgent) == "a")
        #expect(headers.first(.contentDisposition) == "render")
        #expect(headers.first(.supported) == "timer")
        #expect(try headers.first(#require(HeaderName("x-\(String(repeating: "Y", count: 60))"))) == "b")
    }

    private func found(_ line: String) -> KnownHeader? {
        Array(line.utf8).withUnsafeBytes { KnownNames.all.find(in: $0, from: 0) }.flatMap {
            KnownHeader(rawValue: $0.code)
        }
    }
}
