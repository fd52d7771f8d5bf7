import Glibc
import Testing

@testable import OffhookApp

@Suite struct ReportWriterTests {
    /// A pipe whose buffer is full, and how much it holds.
    private func fullPipe() throws -> (read: CInt, write: CInt, held: Int) {
        var ends: [CInt] = [-1, -1]
        try #require(pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        let page = [UInt8](repeating: 0x78, count: 4096)
        var held = 0
        while true {
            let count = write(ends[1], page, page.count)
            guard count > 0 else { break }
            held += count
        }
        return (ends[0], ends[1], held)
    }

    private func drain(_ descriptor: CInt) -> Int {
        var page = [UInt8](repeating: 0, count: 4096)
        var total = 0
        while true {
            let count = read(descriptor, &page, page.count)
            guard count > 0 else { return total }
            total += count
        }
    }

    @Test func waitsForASlowReader() throws {
        let pipe = try fullPipe()
        var waits = 0
        var drained = 0
        ReportWriter.write(String(repeating: "a", count: 10_000), to: pipe.write) {
            waits += 1
            drained += drain(pipe.read)
            return false
        }
        close(pipe.write)
        drained += drain(pipe.read)
        close(pipe.read)
        #expect(waits > 0)
        #expect(drained == pipe.held + 10_000)
    }

    /// Else a paused pager would make the process deaf to SIGTERM.
    @Test func leavesAReaderThatKeepsTheProcessFromEnding() throws {
        let pipe = try fullPipe()
        ReportWriter.write("a line\n", to: pipe.write) { true }
        #expect(drain(pipe.read) == pipe.held)
        ReportWriter.write("the next line\n", to: pipe.write) { false }
        #expect(drain(pipe.read) == 0)
        // The write end stays open: its number is never written to again, and must not come back as another file.
        close(pipe.read)
    }
}
