import EngineKit

extension ServiceRecord {
    /// The records in the order in which they are to be tried (RFC 2782, "Usage rules"): by priority, and within one by
    /// a draw in which the weight is the chance to come first.
    static func drawn(_ records: [ServiceRecord], using random: inout RandomSource) -> [ServiceRecord] {
        var rest = records.sorted { ($0.priority, $0.weight) < ($1.priority, $1.weight) }
        var drawn: [ServiceRecord] = []
        while let first = rest.first {
            // Those of weight 0 stand first, so that they have a small chance too.
            let level = rest.prefix { $0.priority == first.priority }
            let total = level.reduce(0) { $0 + Int($1.weight) }
            let lot = Int.random(in: 0...total, using: &random)
            var sum = 0
            let winner = level.firstIndex { record in
                sum += Int(record.weight)
                return sum >= lot
            }
            drawn.append(rest.remove(at: winner ?? level.startIndex))
        }
        return drawn
    }
}
