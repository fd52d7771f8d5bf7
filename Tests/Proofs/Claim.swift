/// One thing that a test can prove. The numbers are those of `Tests/Proofs/Subjects.tsv`.
package enum Claim: Sendable, Hashable, CustomStringConvertible {
    /// A situation of the protocol that has to end well.
    case row(Int)

    /// A rule by which the phone refuses or bounds what others want of it.
    case rule(Int)

    /// A fault that another program really had, which ours has not.
    case incident(Int)

    /// A clause of a standard: `"RFC 3262 §3"`.
    case clause(String)

    package var description: String {
        switch self {
        case .row(let number): "row \(number)"
        case .rule(let number): "rule S\(number)"
        case .incident(let number): "incident \(number)"
        case .clause(let clause): clause
        }
    }
}
