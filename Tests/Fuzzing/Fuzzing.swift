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

    static func main() {
        guard let name = CommandLine.arguments.dropFirst().first, let target = FuzzTarget(rawValue: name) else {
            print(
                "usage: fuzz TARGET [ARGUMENT...]; targets:", FuzzTarget.allCases.map(\.rawValue).joined(separator: " ")
            )
            exit(64)
        }
        self.target = target
        // libFuzzer sees its program's name and what follows ours.
        var arguments = CommandLine.unsafeArgv + 1
        arguments[0] = CommandLine.unsafeArgv[0]
        var count = CommandLine.argc - 1
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
