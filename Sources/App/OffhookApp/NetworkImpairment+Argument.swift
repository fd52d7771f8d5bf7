import EngineKit

extension NetworkImpairment {
    /// Reads `loss=5%,burst=3,jitter=30ms,delay=80ms,reorder=1%,dup=1%,seed=7,on=rtp|sip|both`, any of them in any order.
    ///
    /// - Throws: what is wrong, for the person who wrote it.
    init(argument text: String) throws(ImpairmentFault) {
        self.init()
        var known: Set<String> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard sides.count == 2 else { throw ImpairmentFault("'\(part)' is not NAME=VALUE") }
            guard known.insert(sides[0]).inserted else { throw ImpairmentFault("\(sides[0]) stands there twice") }
            try set(sides[0], to: sides[1])
        }
    }

    private mutating func set(_ name: String, to value: String) throws(ImpairmentFault) {
        switch name {
        case "loss": loss = try Self.share(name, value)
        case "reorder": reordering = try Self.share(name, value)
        case "dup": duplication = try Self.share(name, value)
        case "burst":
            guard let length = Double(plain: value), (1...1_000).contains(length) else {
                throw ImpairmentFault("burst: '\(value)' is not between 1 and 1000")
            }
            burst = length
        case "delay": delay = try Self.time(name, value)
        case "jitter": jitter = try Self.time(name, value)
        case "seed":
            guard let number = UInt64(value) else { throw ImpairmentFault("seed: '\(value)' is no number") }
            seed = number
        case "on":
            guard ["rtp", "sip", "both"].contains(value) else {
                throw ImpairmentFault("on: '\(value)' is not rtp, sip or both")
            }
            (affectsRTP, affectsSIP) = (value != "sip", value != "rtp")
        default:
            throw ImpairmentFault("'\(name)' is none of loss, burst, jitter, delay, reorder, dup, seed and on")
        }
    }

    private static func share(_ name: String, _ value: String) throws(ImpairmentFault) -> Double {
        guard let percentage = Double(percentage: value) else {
            throw ImpairmentFault("\(name): '\(value)' is no percentage, such as 5%")
        }
        return percentage / 100
    }

    private static func time(_ name: String, _ value: String) throws(ImpairmentFault) -> Duration {
        let duration: Duration
        do throws(DurationFault) {
            duration = try Duration(argument: value)
        } catch {
            throw ImpairmentFault("\(name): \(error)")
        }
        guard duration <= .seconds(2) else { throw ImpairmentFault("\(name): '\(value)' is more than 2s") }
        return duration
    }
}

/// Why a text says nothing of a bad network.
struct ImpairmentFault: Error, Equatable, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}
