/// Plays cases on every core, and takes what came of them in the order of the cases.
///
/// - Parameter take: gets a case and its result; where it throws, no further one is played.
func inOrder<Cases: RandomAccessCollection & Sendable, Result: Sendable>(
    _ cases: Cases, play: @escaping @Sendable (Cases.Element) -> Result,
    take: (Cases.Element, Result) throws -> Void
) async throws where Cases.Element: Sendable {
    // So many at once that no core waits while a long one is played.
    let window = 32
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
        var (begun, taken) = (0, 0)
        var waiting: [Int: Result] = [:]
        func one(_ number: Int) -> Cases.Element { cases[cases.index(cases.startIndex, offsetBy: number)] }
        while taken < cases.count {
            while begun < cases.count, begun - taken < window {
                let (number, next) = (begun, one(begun))
                group.addTask { (number, play(next)) }
                begun += 1
            }
            guard let (number, result) = try await group.next() else { return }
            waiting[number] = result
            while let result = waiting.removeValue(forKey: taken) {
                try take(one(taken), result)
                taken += 1
            }
        }
    }
}
