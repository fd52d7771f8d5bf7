import EngineKit

/// Figures for people. Every value has a text, infinities and the like included.
enum Figure {
    /// `4.3`
    static func tenths(_ value: Double) -> String {
        guard let scaled = whole(value * 10) else { return "?" }
        let magnitude = scaled.magnitude
        return (scaled < 0 ? "-" : "") + "\(magnitude / 10).\(magnitude % 10)"
    }

    /// `31`
    static func rounded(_ value: Double) -> String {
        whole(value).map { "\($0)" } ?? "?"
    }

    /// `02:31`, and from one hour on `1:02:31`.
    static func clock(_ duration: Duration) -> String {
        let seconds = max(0, duration.saturatedNanoseconds / 1_000_000_000)
        let minutes = seconds / 60
        let tail = "\(padded(minutes % 60)):\(padded(seconds % 60))"
        return minutes < 60 ? tail : "\(minutes / 60):\(tail)"
    }

    /// At least two digits.
    static func padded(_ value: some BinaryInteger) -> String {
        value < 10 ? "0\(value)" : "\(value)"
    }

    private static func whole(_ value: Double) -> Int? {
        Int(exactly: value.rounded())
    }
}

extension TimeOfDay {
    /// `12:04`
    var hoursAndMinutes: String {
        let minutes = milliseconds / 60_000
        return "\(Figure.padded(minutes / 60)):\(Figure.padded(minutes % 60))"
    }

    /// `12:04:59`
    var withSeconds: String {
        "\(hoursAndMinutes):\(Figure.padded(milliseconds / 1000 % 60))"
    }

    /// `12:04:59.007`
    var withMilliseconds: String {
        let rest = milliseconds % 1000
        return "\(withSeconds).\(rest < 100 ? "0" : "")\(Figure.padded(rest))"
    }
}
