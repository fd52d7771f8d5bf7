import Glibc

/// A configuration file as it was found: its path, its permissions and its bytes.
package struct ConfigurationFile: Sendable {
    package var path: String
    package var bytes: [UInt8]
    /// The nine permission bits.
    package var mode: UInt32

    /// More than any configuration needs; what is larger is something else.
    package static let largestSize = 1 << 20

    package init(path: String, bytes: [UInt8], mode: UInt32 = 0o600) {
        self.path = path
        self.bytes = bytes
        self.mode = mode
    }

    /// Reads the file at `path`.
    package init(reading path: String) throws(ConfigurationError) {
        switch FileContents.read(path, limit: Self.largestSize) {
        case .success(let contents):
            self.init(path: path, bytes: contents.bytes, mode: contents.mode)
        case .failure(let failure):
            throw ConfigurationError(path: path, problem: "can't be read: \(failure.reason)")
        }
    }

    /// Reads the file at the XDG path; nil where there is none.
    package static func readingDefault(
        environment: (String) -> String? = environmentVariable
    ) throws(ConfigurationError) -> ConfigurationFile? {
        guard let path = defaultPath(environment: environment), access(path, F_OK) == 0 else { return nil }
        return try ConfigurationFile(reading: path)
    }

    /// `$XDG_CONFIG_HOME/offhook/config.toml`, with `~/.config` where the variable is unset or not absolute.
    package static func defaultPath(environment: (String) -> String? = environmentVariable) -> String? {
        if let directory = environment("XDG_CONFIG_HOME"), directory.hasPrefix("/") {
            return "\(directory)/offhook/config.toml"
        }
        guard let home = environment("HOME"), home.hasPrefix("/") else { return nil }
        return "\(home)/.config/offhook/config.toml"
    }
}

/// A variable of this process's environment.
package func environmentVariable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}

/// The bytes of a regular file that is small by nature.
struct FileContents {
    var bytes: [UInt8]
    /// The nine permission bits.
    var mode: UInt32

    struct Failure: Error {
        var reason: String
    }

    /// Reads all of a file of at most `limit` bytes. A pipe or a device is refused, because it may never end.
    static func read(_ path: String, limit: Int) -> Result<FileContents, Failure> {
        // Not to wait for the writer of a pipe before it can be refused.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return .failure(Failure(reason: reason(errno))) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return .failure(Failure(reason: reason(errno))) }
        guard status.st_mode & S_IFMT == S_IFREG else { return .failure(Failure(reason: "it is not a regular file")) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return .failure(Failure(reason: reason(errno))) }
            if count == 0 { break }
            bytes += chunk[..<count]
            guard bytes.count <= limit else {
                return .failure(Failure(reason: "it is larger than \(limit) bytes"))
            }
        }
        return .success(FileContents(bytes: bytes, mode: UInt32(status.st_mode) & 0o777))
    }

    private static func reason(_ code: CInt) -> String { String(cString: strerror(code)) }
}
