/// A duration as written on the command line and in configuration: a number with a unit, as `500ms`, `40s`, `2m`, `1h`.
package struct DurationArgument: Equatable, Sendable {
    package let duration: Duration

    /// Reads a duration, or gives nil. A fraction is allowed (`1.5s`); the number must have a unit, and 0 is a duration.
    package init?(_ text: some StringProtocol) {
        let units: [(suffix: String, milliseconds: Double)] = [
            ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000),
        ]
        for unit in units where text.hasSuffix(unit.suffix) {
            let number = text.dropLast(unit.suffix.count)
            guard !number.isEmpty, number.utf8.allSatisfy({ $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }),
                let value = Double(number), let milliseconds = Int64(exactly: (value * unit.milliseconds).rounded()),
                milliseconds <= 1_000_000_000_000
            else { return nil }
            duration = .milliseconds(milliseconds)
            return
        }
        return nil
    }
}
