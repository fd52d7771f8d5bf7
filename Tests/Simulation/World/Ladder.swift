import EngineKit
import SIPMessages

/// The messages of a simulated call in the order of sending, as text to compare with.
///
/// One line a message: the time in seconds, who to whom, what. `-x` instead of `->` is a message that was lost.
package struct Ladder: Equatable, Sendable, CustomStringConvertible {
    package private(set) var lines: [String] = []

    mutating func add(_ what: String, from sender: String, to receiver: String, isLost: Bool, at now: Instant) {
        lines.append("\(Self.clock(now)) \(sender) \(isLost ? "-x" : "->") \(receiver)  \(what)")
    }

    /// What happens besides messages.
    mutating func remark(_ what: String, at now: Instant) {
        lines.append("\(Self.clock(now)) * \(what)")
    }

    package var description: String { lines.joined(separator: "\n") }

    static func clock(_ now: Instant) -> String {
        let milliseconds = (now - .zero).saturatedNanoseconds / 1_000_000
        let fraction = String(milliseconds % 1000)
        return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
    }
}

extension Message {
    /// A request by its method, a response by status and method; `+sdp` where it carries a session description, and the
    /// status that a NOTIFY tells of a transfer.
    package var summary: String {
        let told = StatusFragment(parsing: body).map { " +\($0.status)" }
        let description = body.isEmpty ? "" : told ?? " +sdp"
        return switch self {
        case .request(let request): request.method.name + description
        case .response(let response): "\(response.status.value) \(response.cSeq.method.name)\(description)"
        }
    }
}
