/// How our Opus is made, where somebody wants it another way than usual. What is nil goes by what the peer asks for.
package struct OpusSettings: Equatable, Sendable {
    package static let complexities = 0...10
    /// Bits a second (RFC 6716 §2.1.1).
    package static let bitRates = 6_000...510_000

    /// Of `complexities`. 9 costs 0.4 ms of processor for 20 ms of speech, double of 5 and less than 10, which sounds no
    /// better on speech: right for a phone with a few calls, while who has hundreds takes 5 or 0.
    package var complexity: Int
    /// Of `bitRates`, also where the peer asks for less.
    package var bitRate: Int?
    package var usesInBandFEC: Bool?
    package var usesDTX: Bool?

    package init(complexity: Int = 9, bitRate: Int? = nil, usesInBandFEC: Bool? = nil, usesDTX: Bool? = nil) {
        self.complexity = complexity
        self.bitRate = bitRate
        self.usesInBandFEC = usesInBandFEC
        self.usesDTX = usesDTX
    }
}

extension OpusPreferences {
    /// What the peer asks for, but for what is settled here.
    package func overridden(by settings: OpusSettings) -> OpusPreferences {
        var result = self
        if let fec = settings.usesInBandFEC { result.usesInBandFEC = fec }
        if let dtx = settings.usesDTX { result.usesDTX = dtx }
        return result
    }
}
