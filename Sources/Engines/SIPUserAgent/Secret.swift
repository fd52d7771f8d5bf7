/// A text that must not be shown: a password or a key.
///
/// However it is printed, described, dumped or interpolated, it gives `***`. What needs the text says `revealed`, so
/// that every such place can be found.
package struct Secret: Hashable, Sendable {
    package let revealed: String

    package init(_ text: String) {
        revealed = text
    }

    package var isEmpty: Bool { revealed.isEmpty }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "***" }
    package var debugDescription: String { "***" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
