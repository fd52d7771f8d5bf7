/// What the receiver of an Opus stream asks of its sender in `fmtp` (RFC 7587 §6.1). Preferences, not format:
/// a decoder plays whatever comes.
package struct OpusPreferences: Equatable, Sendable {
    /// `maxaveragebitrate`, bits a second; held to 6000...510000.
    package var maximumBitRate: Int?
    /// `maxplaybackrate`, Hz: higher audio bandwidth is of no use to the receiver.
    package var maximumPlaybackRate: Int
    /// `useinbandfec`: the receiver makes use of forward error correction.
    package var usesInBandFEC: Bool
    /// `usedtx`: the receiver prefers discontinuous transmission.
    package var usesDTX: Bool
    /// `cbr`: the receiver asks for a constant bit rate.
    package var usesConstantBitRate: Bool

    package init(
        maximumBitRate: Int? = nil, maximumPlaybackRate: Int = 48_000, usesInBandFEC: Bool = true,
        usesDTX: Bool = false, usesConstantBitRate: Bool = false
    ) {
        self.maximumBitRate = maximumBitRate
        self.maximumPlaybackRate = maximumPlaybackRate
        self.usesInBandFEC = usesInBandFEC
        self.usesDTX = usesDTX
        self.usesConstantBitRate = usesConstantBitRate
    }
}
