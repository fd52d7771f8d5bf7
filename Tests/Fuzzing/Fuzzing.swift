import FuzzTargets
import Glibc

/// libFuzzer as a library: it calls `call` with its inputs until the arguments say that it is enough.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ call: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// `fuzz TARGET [ARGUMENT...]`: the target's name, then what libFuzzer takes. A fault is told and ends the run, as a
/// trap does.
@main
enum Fuzzing {
    nonisolated(unsafe) private static var target = FuzzTarget.message

    /// Where a merge of libFuzzer, which starts the program anew and knows nothing of targets, finds the target's name.
    private static let variable = "FUZZ_TARGET"

    static func main() {
        let named = CommandLine.arguments.dropFirst().first.flatMap(FuzzTarget.init)
        let inherited = getenv(variable).flatMap { FuzzTarget(rawValue: String(cString: $0)) }
        guard let target = named ?? inherited else {
            print(
                "usage: fuzz TARGET [ARGUMENT...]; targets:", FuzzTarget.allCases.map(\.rawValue).joined(separator: " ")
            )
            exit(64)
        }
        self.target = target
        setenv(variable, target.rawValue, 1)
        // libFuzzer sees its program's name and what follows ours.
        let own: Int32 = named == nil ? 0 : 1
        var arguments = CommandLine.unsafeArgv + Int(own)
        arguments[0] = CommandLine.unsafeArgv[0]
        var count = CommandLine.argc - own
        exit(
            runDriver(&count, &arguments) { bytes, length in
                let started = clock()
                do throws(FuzzTarget.Fault) {
                    try Fuzzing.target.run(Array(UnsafeBufferPointer(start: bytes, count: length)))
                } catch {
                    fatalError("\(Fuzzing.target.rawValue): \(error)")
                }
                // Microseconds of the processor (POSIX), so that a busy machine is not taken for a slow input.
                if clock() - started > 1_000_000 { fatalError("\(Fuzzing.target.rawValue): over a second") }
                return 0
            })
    }
}
