import ArgumentParser
import Simulation

/// Plays whole calls under a virtual clock, from seeds and on every core: what must hold, must hold in every one of them.
@main
struct CallSimulator: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "callsim",
        abstract: "Plays phones over faulty networks, from seeds, and checks what must hold.",
        discussion:
            "Exit status 0 where every seed holds, 20 otherwise. Docs/Simulation.md tells how to read a failure.")

    @Option(help: ArgumentHelp("The seeds to play.", valueName: "first..last"))
    var seeds: SeedRange?

    @Option(help: ArgumentHelp("One seed.", valueName: "n"))
    var seed: UInt64?

    @Option(
        help: ArgumentHelp("The seeds that a file lists: a number a line, and what it once found.", valueName: "file"))
    var list: String?

    @Flag(help: "Lose, double and delay each message and each pair of messages of the canonical flows.")
    var sweep = false

    @Flag(help: "Stop at the first seed that fails.")
    var first = false

    @Flag(help: "With --seed: print the plan and the ladder of every message.")
    var trace = false

    @Flag(help: "With --seed: leave out of a failing plan what the failure does not need, and print what is left.")
    var shrink = false

    func validate() throws {
        let ways = [seeds != nil, seed != nil, list != nil, sweep].count { $0 }
        guard ways == 1 else { throw ValidationError("name one of --seeds, --seed, --list and --sweep") }
        guard !(trace || shrink) || seed != nil else { throw ValidationError("--trace and --shrink need --seed") }
    }

    func run() async throws {
        if let seed, shrink { return try self.shrink(seed) }
        if sweep { return try await playFlows() }
        if let list { return try await play(SeedList(path: list).seeds) }
        try await play(seeds?.range ?? seed.map { $0...$0 } ?? 0...0)
    }

    /// What came of a seed.
    private struct Outcome: Sendable {
        let violations: [Violation]
        let repeats: Bool
        let story: String?
    }

    private func play(_ seeds: some RandomAccessCollection<UInt64> & Sendable) async throws {
        var failed = 0
        let trace = trace
        try await inOrder(seeds) { seed in
            var trial = Trial(seed: seed)
            trial.run()
            return Outcome(
                violations: trial.violations, repeats: trial.repeats, story: trace ? trial.story : nil)
        } take: { seed, outcome in
            if let story = outcome.story { print(story) }
            if !outcome.repeats { print("seed \(seed): a second run differs") }
            guard !outcome.violations.isEmpty || !outcome.repeats else { return }
            failed += 1
            print("seed \(seed): \(outcome.violations.map(\.description).joined(separator: "; "))")
            print("  callsim --seed \(seed)")
            if first { throw ExitCode(20) }
        }
        print("\(seeds.count - failed) passed, \(failed) failed")
        if failed > 0 { throw ExitCode(20) }
    }

    private func playFlows() async throws {
        var failed = 0
        for flow in CanonicalFlow.allCases {
            let cases = SweepCase.all(of: flow)
            try await inOrder(cases) { one -> (violations: [Violation], story: String?) in
                let trial = one.played()
                return (trial.violations, trial.violations.isEmpty ? nil : trial.story)
            } take: { one, outcome in
                guard let story = outcome.story else { return }
                if failed == 0 { print(story) }
                failed += 1
                print("\(one): \(outcome.violations.map(\.description).joined(separator: "; "))")
            }
            print("\(flow.rawValue): \(cases.count) runs")
        }
        if failed > 0 { throw ExitCode(20) }
    }

    private func shrink(_ seed: UInt64) throws {
        guard var shrinker = Shrinker(Plan(seed: seed)) else { return print("seed \(seed) holds") }
        shrinker.shrink()
        var trial = Trial(shrinker.plan)
        trial.run()
        print(trial.story)
        print("\(shrinker.trials) plans were played; what is left of seed \(seed) still fails:")
        for violation in trial.violations { print(violation) }
        throw ExitCode(20)
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
