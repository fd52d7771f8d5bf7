/// How much a session description may hold, so that what a peer sends costs bounded time and memory.
package struct SDPLimits: Hashable, Sendable {
    package var bytes = 32 * 1024
    /// One line, with its letter and without its end.
    package var lineBytes = 1024
    package var mediaDescriptions = 16
    /// Formats of one media description.
    package var formats = 64
    /// Attributes of the session section, and of each media description.
    package var attributes = 64
    package var cryptoAttributes = 16
    package var candidates = 20

    package init() {}

    package static let standard = SDPLimits()
}
