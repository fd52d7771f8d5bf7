import Glibc
import MediaRuntime
import TerminalUI

/// `offhook devices`: what `--audio` can name here.
package enum DeviceListing {
    private static let inProcess: [(spec: String, text: String, input: Bool, output: Bool)] = [
        ("null", "silence in, nothing out", true, true),
        ("silence", "silence in", true, false),
        ("tone:HZ[,DBFS]", "a sine in", true, false),
        ("file:PATH", "any format that libsndfile reads or writes", true, true),
        ("stdio", "16-bit little-endian mono at 48 kHz on standard input and output", true, true),
        ("echo", "what is received is sent back", true, true),
    ]

    package static func run(json: Bool) -> ExitStatus {
        let cards = MediaEngine.deviceList().map { ("alsa:\($0.name)", $0.text, $0.isInput, $0.isOutput) }
        let devices = inProcess.map { ($0.spec, $0.text, $0.input, $0.output) } + cards
        if json {
            let list = devices.map { spec, text, isInput, isOutput in
                JSON.object([
                    .init("spec", .string(spec)), .init("text", .string(text)), .init("input", .bool(isInput)),
                    .init("output", .bool(isOutput)),
                ])
            }
            let line = JSON.object([.init("v", .integer(1)), .init("devices", .array(list))]).description
            ReportWriter.write(line + "\n", to: STDOUT_FILENO)
            return .success
        }
        let width = min(40, devices.map(\.0.count).max() ?? 0)
        for (spec, text, isInput, isOutput) in devices {
            let direction = isInput && isOutput ? "both  " : isInput ? "input " : "output"
            let name = spec + String(repeating: " ", count: max(0, width - spec.count))
            ReportWriter.write(Printable.line("\(name)  \(direction)  \(text)") + "\n", to: STDOUT_FILENO)
        }
        return .success
    }
}
