import AudioCodecs

/// What is wrong with how Opus is to be made, for the person who wrote it.
struct OpusSettingsFault: Error, Equatable, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

extension OpusSettings {
    /// Reads `bitrate=32000,complexity=5,fec=on,dtx=off`, any of them in any order.
    init(argument text: String) throws(OpusSettingsFault) {
        self.init()
        var known: Set<String> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard sides.count == 2 else { throw OpusSettingsFault("'\(part)' is not NAME=VALUE") }
            guard known.insert(sides[0]).inserted else { throw OpusSettingsFault("\(sides[0]) stands there twice") }
            try set(sides[0], to: sides[1])
        }
    }

    private mutating func set(_ name: String, to value: String) throws(OpusSettingsFault) {
        switch name {
        case "bitrate": bitRate = try Self.number(name, value, in: Self.bitRates)
        case "complexity": complexity = try Self.number(name, value, in: Self.complexities)
        case "fec": usesInBandFEC = try Self.isOn(name, value)
        case "dtx": usesDTX = try Self.isOn(name, value)
        default: throw OpusSettingsFault("'\(name)' is none of bitrate, complexity, fec and dtx")
        }
    }

    private static func number(
        _ name: String, _ value: String, in range: ClosedRange<Int>
    ) throws(OpusSettingsFault) -> Int {
        guard let number = UInt32(value).map(Int.init), range.contains(number), !value.hasPrefix("+") else {
            throw OpusSettingsFault("\(name): '\(value)' is not between \(range.lowerBound) and \(range.upperBound)")
        }
        return number
    }

    private static func isOn(_ name: String, _ value: String) throws(OpusSettingsFault) -> Bool {
        guard value == "on" || value == "off" else {
            throw OpusSettingsFault("\(name): '\(value)' is not on or off")
        }
        return value == "on"
    }
}
