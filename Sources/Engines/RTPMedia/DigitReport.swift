/// What a receiver of digits tells.
package enum DigitReport: Equatable, Sendable {
    case began(DTMFDigit)
    case ended(DTMFDigit, milliseconds: Int)
}

/// Those that nobody took yet, at most eight, in a fixed place.
struct DigitReports: Sendable {
    private var reports = InlineArray<8, DigitReport?>(repeating: nil)
    private var count = 0

    init() {}

    mutating func append(_ report: DigitReport) {
        guard count < reports.count else { return }
        reports[count] = report
        count += 1
    }

    mutating func removeFirst() -> DigitReport? {
        guard count > 0 else { return nil }
        let first = reports[0]
        for index in 1..<count { reports[index - 1] = reports[index] }
        count -= 1
        return first
    }
}
