import EngineKit

extension Plan: CustomStringConvertible {
    /// One line a party, a step and a mishap.
    package var description: String {
        var lines = ["seed \(seed): \(conditions)"]
        for (index, phone) in setting.phones.enumerated() { lines.append("  \(Setting.name(index)): \(phone)") }
        for proxy in setting.proxies { lines.append("  \(proxy)") }
        for rogue in setting.rogues { lines.append("  rogue: \(rogue.rawValue)") }
        for step in steps { lines.append("\(Ladder.clock(step.at)) \(step.what)") }
        for (key, happenings) in (mishaps ?? [:]).sorted(by: { $0.key < $1.key }) {
            lines.append("\(key): \(happenings.map(\.description).joined(separator: ", "))")
        }
        return lines.joined(separator: "\n")
    }
}

extension Plan.What: CustomStringConvertible {
    package var description: String {
        switch self {
        case .deed(let phone, let deed): "\(Setting.name(phone)): \(deed)"
        case .fault(let fault): "fault: \(fault)"
        }
    }
}
