import EngineKit

/// How good a way to an address is (RFC 6724 §6); the lesser is the better.
struct AddressPreference: Comparable {
    private let key: (isOtherScope: Int, isOtherLabel: Int, precedence: Int, scope: Int)

    init(_ destination: IPAddress, from source: IPAddress) {
        let policies = (Policy(destination), Policy(source))
        let scopes = (Self.scope(destination), Self.scope(source))
        // Rules 2, 5, 6 and 8. The others speak of mobility, tunnels and addresses about to go, of which nothing is
        // known here; a way that does not exist (rule 1) is not judged at all.
        key = (
            scopes.0 == scopes.1 ? 0 : 1, policies.0.label == policies.1.label ? 0 : 1, -policies.0.precedence, scopes.0
        )
    }

    static func == (left: AddressPreference, right: AddressPreference) -> Bool { left.key == right.key }
    static func < (left: AddressPreference, right: AddressPreference) -> Bool { left.key < right.key }

    /// §3.1 and §3.2: loopback counts as link-local, and what is private in IPv4 as global.
    private static func scope(_ address: IPAddress) -> Int {
        switch address.reach {
        case .loopback, .linkLocal: 2
        default: 14
        }
    }

    /// The row of the default policy table (§2.1) that fits an address.
    private struct Policy {
        let precedence: Int
        let label: Int

        init(_ address: IPAddress) {
            switch address.unmapped {
            case .v4: (precedence, label) = (35, 4)
            case .v6(high: 0, low: 1, _): (precedence, label) = (50, 0)
            case .v6(let high, _, _):
                switch high >> 48 {
                case 0x2002: (precedence, label) = (30, 2)
                case 0x2001 where high >> 32 == 0x2001_0000: (precedence, label) = (5, 5)
                case 0xfc00...0xfdff: (precedence, label) = (3, 13)
                default: (precedence, label) = (40, 1)
                }
            }
        }
    }
}
