import Glibc
import TerminalRuntime

/// What the environment says of the terminal's characters.
enum Locale {
    /// Whether output may hold more than ASCII (the POSIX order of the variables).
    static var isUnicode: Bool {
        for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
            guard let value = environmentVariable(name), !value.isEmpty else { continue }
            return TerminalEnvironment.isUTF8(named: value)
        }
        return false
    }
}
