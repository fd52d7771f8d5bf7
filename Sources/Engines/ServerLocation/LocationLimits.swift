/// How long a server is looked for, and how much of what the domain name system says is used (ROBUSTNESS S21).
package struct LocationLimits: Equatable, Sendable {
    /// For everything together.
    package var total = Duration.seconds(5)
    /// How long NAPTR records are waited for: there are forwarders that never answer such a question.
    package var pointers = Duration.seconds(2)
    /// How long SRV records are waited for, from the beginning.
    package var services = Duration.milliseconds(3500)
    /// How long other addresses are waited for once there is one.
    package var stragglers = Duration.seconds(1)
    /// SRV and NAPTR records of one answer, and servers of one location.
    package var records = 16
    /// How long anything is believed, whatever its time to live says.
    package var lifetime = Duration.seconds(3600)
    /// Locations under way, and locations remembered.
    package var locations = 256
    /// How long a server that failed comes after the others where nobody says for how long.
    package var failure = Duration.seconds(60)
    /// And where the server says it (Retry-After), at most.
    package var longestFailure = Duration.seconds(600)

    package init() {}
}
