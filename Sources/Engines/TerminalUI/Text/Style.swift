/// How a cell looks beside its character. Colour adds and never carries: every state has a sign and a word too.
package struct Style: Hashable, Sendable {
    package enum Colour: Hashable, Sendable, CaseIterable {
        case standard, red, green, yellow, cyan
    }

    package var colour: Colour
    package var isBold: Bool
    package var isDim: Bool
    package var isReversed: Bool
    package var isBlinking: Bool

    package init(
        _ colour: Colour = .standard, isBold: Bool = false, isDim: Bool = false, isReversed: Bool = false,
        isBlinking: Bool = false
    ) {
        self.colour = colour
        self.isBold = isBold
        self.isDim = isDim
        self.isReversed = isReversed
        self.isBlinking = isBlinking
    }

    package static let plain = Style()
    /// What answers at one glance: am I reachable, who is on the line, is the sound good.
    package static let bright = Style(isBold: true)
    /// Frames, titles and what is rarely looked at.
    package static let quiet = Style(isDim: true)
    package static let good = Style(.green, isBold: true)
    package static let waiting = Style(.yellow)
    /// What needs the person now, and nothing else.
    package static let urgent = Style(.red, isBold: true)
    package static let key = Style(.cyan, isBold: true)
}
