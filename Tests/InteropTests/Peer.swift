import Glibc
import Testing

/// The programs that this project did not write and that its phone talks to.
enum Peer {
    /// Whether the tests with a program are to run: where it is, and under CI, where they fail without it.
    static func isWanted(_ name: String) -> Bool {
        path(of: name) != nil || environment("CI") == "true"
    }

    /// The path of a program; a failure of the test where there is none.
    static func require(_ name: String) throws -> String {
        try #require(path(of: name), "\(name) is not installed; the README says how")
    }

    private static func path(of name: String) -> String? {
        let folders = (environment("PATH") ?? "").split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin"]
        let paths: [String] = folders.map { "\($0)/\(name)" }
        return paths.first { access($0, X_OK) == 0 }
    }

    private static func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
