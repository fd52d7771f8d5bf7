import ArgumentParser
import Simulation

/// Plays whole calls under a virtual clock, from seeds: what a user agent must never do, it must not do in any of them.
@main
struct CallSimulator: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "callsim",
        abstract: "Plays two phones over faulty networks, from seeds, and checks what must hold.",
        discussion: "Exit status 0 where every seed holds, 20 otherwise. A seed that fails is run again with --trace.")

    @Option(help: ArgumentHelp("The seeds to play.", valueName: "first..last"))
    var seeds: SeedRange?

    @Option(help: ArgumentHelp("One seed.", valueName: "n"))
    var seed: UInt64?

    @Flag(help: "Print the ladder of every message.")
    var trace = false

    func validate() throws {
        guard (seeds == nil) != (seed == nil) else { throw ValidationError("name --seeds or --seed") }
    }

    func run() throws {
        let range = seeds?.range ?? seed.map { $0...$0 } ?? 0...0
        var failed = 0
        for seed in range {
            var swarm = Swarm(seed: seed)
            swarm.run()
            if trace { print(swarm.world.ladder) }
            let failures = swarm.failures
            guard !failures.isEmpty else { continue }
            failed += 1
            print("seed \(seed): \(failures.joined(separator: "; "))")
            print("  callsim --seed \(seed) --trace")
        }
        print("\(range.count - failed) passed, \(failed) failed")
        if failed > 0 { throw ExitCode(20) }
    }
}

/// `1..2000`, both ends included.
struct SeedRange: ExpressibleByArgument {
    let range: ClosedRange<UInt64>

    init?(argument: String) {
        let ends = argument.split(separator: ".", omittingEmptySubsequences: true)
        guard ends.count == 2, argument == "\(ends[0])..\(ends[1])", let first = UInt64(ends[0]),
            let last = UInt64(ends[1]), first <= last, last - first < 100_000_000
        else { return nil }
        range = first...last
    }
}
