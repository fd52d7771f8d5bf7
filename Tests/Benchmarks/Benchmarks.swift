import Glibc

/// Fixed workloads, to be run in release: `Benchmarks NAME ARGUMENT...`. Each prints one JSON line a result.
///
/// A new workload is a file of its own with an extension of `Workload`, and one line in `all`.
@main
enum Benchmarks {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        guard let name = arguments.first, let workload = Workload.all.first(where: { $0.name == name }) else {
            let names = Workload.all.map { "  Benchmarks \($0.name) \($0.usage)" }.joined(separator: "\n")
            fail("usage:\n\(names)")
        }
        workload.run(Array(arguments.dropFirst()))
    }

    static func fail(_ message: String) -> Never {
        let text = Array((message + "\n").utf8)
        _ = Glibc.write(STDERR_FILENO, text, text.count)
        exit(64)
    }
}

struct Workload: Sendable {
    var name: String
    var usage: String
    var run: @Sendable ([String]) -> Void

    static let all: [Workload] = [
        .parse, .write, .sdp, .transactions, .registrations, .calls, .answer, .allocations, .speech, .media,
    ]
}

/// The median over rounds of the nanoseconds of processor time that one call of `body` takes. Processor time, so that
/// what else runs on the machine counts for less.
func medianNanoseconds(rounds: Int = 25, iterations: Int = 2000, _ body: () -> Void) -> Int {
    for _ in 0..<iterations { body() }
    let results = (0..<rounds).map { _ in
        let start = threadNanoseconds()
        for _ in 0..<iterations { body() }
        return (threadNanoseconds() - start) / iterations
    }
    return results.sorted()[rounds / 2]
}

/// The processor time that this thread has used.
func threadNanoseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// Keeps the optimiser from dropping a result that nobody reads.
@inline(never)
func consume<T>(_ value: borrowing T) {}

/// The octets of a file; ends the program where it can't be read.
func contents(of path: String) -> [UInt8] {
    guard let file = fopen(path, "rb") else { Benchmarks.fail("\(path): \(String(cString: strerror(errno)))") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = fread(&chunk, 1, chunk.count, file)
        if count == 0 { return bytes }
        bytes += chunk[..<count]
    }
}

/// The last component of a path as a JSON string.
func fileName(_ path: String) -> String {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    return "\"" + name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
}
