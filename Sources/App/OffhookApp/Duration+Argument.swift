extension Duration {
    /// Reads a duration as written on the command line and in configuration: a number with a unit, as `500ms`, `40s`,
    /// `2m`, `1h`. A fraction is allowed (`1.5s`), and 0 is a duration.
    package init(argument text: String) throws(DurationFault) {
        let units: [(suffix: String, milliseconds: Double)] = [
            ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000),
        ]
        guard let unit = units.first(where: { text.hasSuffix($0.suffix) }) else { throw .notANumberWithAUnit }
        let number = text.dropLast(unit.suffix.count)
        guard !number.isEmpty, number.utf8.allSatisfy({ $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }),
            let value = Double(number)
        else { throw .notANumberWithAUnit }
        guard let milliseconds = Int64(exactly: (value * unit.milliseconds).rounded()),
            milliseconds <= DurationFault.longest
        else { throw .tooLong }
        self = .milliseconds(milliseconds)
    }
}

/// Why a text is no duration, with the format that is one.
package enum DurationFault: Error, Hashable, Sendable, CustomStringConvertible {
    case notANumberWithAUnit
    case tooLong

    /// In milliseconds: over thirty years.
    static let longest: Int64 = 1_000_000_000_000

    package var description: String {
        switch self {
        case .notANumberWithAUnit: "a duration is a number with a unit: 500ms, 40s, 2m or 1h"
        case .tooLong: "no duration is longer than \(Self.longest / 3_600_000)h"
        }
    }
}
