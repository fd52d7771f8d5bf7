import Glibc
import SDP
import SIPMessages
import SIPRuntime
import SIPUserAgent
import TerminalUI

/// `offhook parse`: the structure of one message, or every fault with its clause and the status it is owed, and apart from
/// that what this phone would answer.
package enum MessageInspection {
    /// What is larger is no message (ROBUSTNESS S12: a message has at most 64 KiB).
    private static let largestInput = 1 << 20

    package static func run(file: String?, isSessionDescription: Bool, json: Bool) -> ExitStatus {
        let bytes: [UInt8]
        do throws(StartFault) {
            bytes = try read(file)
        } catch {
            ReportWriter.write(error.line, to: STDERR_FILENO)
            return error.exit
        }
        return isSessionDescription ? inspectDescription(bytes, json: json) : inspectMessage(bytes, json: json)
    }

    private static func inspectMessage(_ bytes: [UInt8], json: Bool) -> ExitStatus {
        var explanation = MessageExplanation(of: bytes, .ours)
        if let message = try? MessageParser.parse(bytes) { explanation.add(body: BodyInspection.entries(of: message)) }
        if json {
            let entries = explanation.entries.map { entry in
                JSON.object([
                    .init("kind", .string(entry.kind.rawValue)), .init("subject", .string(entry.subject)),
                    .init("text", .string(entry.text)), .init("clause", entry.clause.map { .string($0) } ?? .null),
                    .init("status", entry.status.map { .integer($0) } ?? .null),
                    .init("offset", entry.offset.map { .integer($0) } ?? .null),
                ])
            }
            printResult(
                JSON.object([
                    .init("v", .integer(1)), .init("ok", .bool(explanation.isWellFormed)),
                    .init("answer", explanation.answer.map { .integer($0) } ?? .null),
                    .init("entries", .array(entries)),
                ]).description)
        } else {
            for line in explanation.lines { printResult(Printable.line(line)) }
        }
        return explanation.isWellFormed ? .success : .badInput
    }

    private static func inspectDescription(_ bytes: [UInt8], json: Bool) -> ExitStatus {
        let faults = DescriptionSurvey.faults(in: bytes)
        let sections = (try? SessionDescription(parsing: bytes))?.media.map { media in
            let formats = media.mediaFormats.map { "\($0.payloadType) \($0.encodingName)/\($0.clockRate)" }
            return "\(media.kind) \(media.port) \(media.proto): \(formats.joined(separator: ", "))"
        }
        if json {
            var members: [JSON.Member] = [.init("v", .integer(1)), .init("ok", .bool(faults.isEmpty))]
            if let sections { members.append(.init("media", .array(sections.map { .string($0) }))) }
            if let first = faults.first { members.append(.init("fault", .string("\(first)"))) }
            let list = faults.map { fault in
                JSON.object([
                    .init("line", fault.line > 0 ? .integer(fault.line) : .null), .init("text", .string(fault.text)),
                    .init("clause", fault.clause.map { .string($0) } ?? .null),
                    .init("refused", .bool(fault.isRefused)),
                ])
            }
            printResult(JSON.object(members + [.init("faults", .array(list))]).description)
        } else {
            for section in sections ?? [] { printResult(Printable.line(section)) }
            for fault in faults { printResult(Printable.line("fault: \(fault)")) }
        }
        return faults.isEmpty ? .success : .badInput
    }

    private static func printResult(_ line: String) {
        ReportWriter.write(line + "\n", to: STDOUT_FILENO)
    }

    private static func read(_ file: String?) throws(StartFault) -> [UInt8] {
        if let file, file != "-" {
            switch FileContents.read(file, limit: largestInput) {
            case .success(let contents): return contents.bytes
            case .failure(let failure): throw StartFault(.badInput, "\(file) can't be read: \(failure.reason)")
            }
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(STDIN_FILENO, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw StartFault(.badInput, "standard input can't be read") }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= largestInput else {
                throw StartFault(.badInput, "standard input is longer than \(largestInput) bytes")
            }
        }
    }
}
