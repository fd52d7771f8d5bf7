/// A key of a telephone: `0` to `9`, `*`, `#`, `A` to `D`, as events 0 to 15 of RFC 4733 §3.2.
package struct DTMFDigit: Hashable, Sendable {
    /// The event code.
    package let code: UInt8

    package init?(code: UInt8) {
        guard code < 16 else { return nil }
        self.code = code
    }

    package init?(_ character: Character) {
        switch character {
        case "0"..."9": code = (character.asciiValue ?? 48) - 48
        case "*": code = 10
        case "#": code = 11
        case "A"..."D": code = (character.asciiValue ?? 65) - 65 + 12
        case "a"..."d": code = (character.asciiValue ?? 97) - 97 + 12
        default: return nil
        }
    }

    package var character: Character {
        let ascii: UInt8 =
            switch code {
            case 0...9: 48 + code
            case 10: 42
            case 11: 35
            default: 65 + code - 12
            }
        return Character(Unicode.Scalar(ascii))
    }
}

/// How it sounds: one frequency of each of two groups (ITU-T Q.23), which are the rows and the columns of the keypad.
extension DTMFDigit {
    /// Hz.
    static let rows: InlineArray<4, Double> = [697, 770, 852, 941]
    static let columns: InlineArray<4, Double> = [1_209, 1_336, 1_477, 1_633]

    /// The codes as the keys lie, row by row.
    private static let keypad: InlineArray<16, UInt8> = [1, 2, 3, 12, 4, 5, 6, 13, 7, 8, 9, 14, 10, 0, 11, 15]

    init?(row: Int, column: Int) {
        guard 0..<4 ~= row, 0..<4 ~= column else { return nil }
        code = Self.keypad[4 * row + column]
    }

    /// Hz.
    var frequencies: (low: Double, high: Double) {
        for place in 0..<16 where Self.keypad[place] == code { return (Self.rows[place / 4], Self.columns[place % 4]) }
        return (0, 0)
    }
}

/// How a digit travels in the media.
package enum DigitWay: Equatable, Sendable {
    /// As telephone events beside the sound (RFC 4733).
    case event
    /// In the sound.
    case sound
}
