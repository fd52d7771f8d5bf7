import SIPRuntime
import SIPTransactions
import TerminalUI

extension TracedMessage {
    /// The message for `--sip-trace`: when, which way, and its text with secrets taken out and nothing in it that could
    /// move the cursor.
    var text: String {
        let way = direction == .sent ? "-->" : "<--"
        let clock = WallClock(microseconds: wallNanoseconds / 1000)
        var text = "\(clock.timeOfDay) \(way) \(flow.transport.name.lowercased()) \(flow.remote)\n"
        let redacted = TraceRedaction.redacted(bytes)
        for line in redacted.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
            text += "    " + Printable.line(decoding: line) + "\n"
        }
        return text
    }
}
