import RTPMedia

/// One step of a string of digits: `,` is a pause of 1 s, `w` waits until the peer's media is heard.
package enum DigitStep: Equatable, Sendable {
    case digit(DTMFDigit)
    case pause
    case waitForMedia

    /// How many steps of one call can wait to be sent.
    package static let waitingLimit = 64

    /// The steps of a text like `w12,#`.
    ///
    /// - Throws: the first character that is neither a digit nor a step.
    package static func parse(_ text: String) throws(DigitError) -> [DigitStep] {
        var steps: [DigitStep] = []
        for character in text {
            switch character {
            case ",": steps.append(.pause)
            case "w", "W": steps.append(.waitForMedia)
            default:
                guard let digit = DTMFDigit(character) else { throw DigitError(text: text, character: character) }
                steps.append(.digit(digit))
            }
        }
        return steps
    }
}

/// A text that is no string of digits.
package struct DigitError: Error, Equatable, CustomStringConvertible {
    package let text: String
    package let character: Character

    package var description: String {
        "digits '\(text)': '\(character)' is none of 0-9 A-D * # , w"
    }
}
