import SIPUserAgent

/// Where an account's password is kept.
package enum PasswordSource: Hashable, Sendable {
    /// In the configuration file, in clear.
    case literal(Secret)
    /// Printed by a program, which is started without a shell: its name or path, then its arguments.
    case command([String])
    /// In a file of its own.
    case file(String)
    /// In a variable of the environment.
    case environment(String)
}

/// A password that could not be had. It never carries any part of the password.
package enum PasswordError: Error, Hashable, Sendable, CustomStringConvertible {
    case commandFailed(String, CommandFailure)
    case fileUnreadable(String, reason: String)
    case fileOpenToOthers(String)
    case variableMissing(String)
    /// Nothing, or more than one line.
    case notOneLine(source: String)

    package var description: String {
        switch self {
        case .commandFailed(let name, let failure): "password_command \"\(name)\" \(failure)"
        case .fileUnreadable(let path, let reason): "password_file \(path) can't be read: \(reason)"
        case .fileOpenToOthers(let path): "password_file \(path) is open to others: chmod 600 \(path)"
        case .variableMissing(let name): "password_env \(name) is not set"
        case .notOneLine(let source): "\(source) gives no password, or more than one line"
        }
    }
}

extension PasswordSource {
    private static let largestSize = 4096
    /// What a command may take that asks somebody.
    package static let patience = Duration.seconds(10)

    /// Fetches the password; a command may take `timeout`. Line breaks at the end are not part of it.
    package func password(
        within timeout: Duration = patience, environment: (String) -> String? = environmentVariable
    ) throws(PasswordError) -> Secret {
        switch self {
        case .literal(let secret):
            return secret
        case .environment(let name):
            guard let text = environment(name) else { throw .variableMissing(name) }
            return try Self.secret(Array(text.utf8), from: "password_env \(name)")
        case .file(let path):
            switch FileContents.read(path, limit: Self.largestSize) {
            case .failure(let failure):
                throw .fileUnreadable(path, reason: failure.reason)
            case .success(let contents):
                guard contents.mode & 0o044 == 0 else { throw .fileOpenToOthers(path) }
                return try Self.secret(contents.bytes, from: "password_file \(path)")
            }
        case .command(let words):
            let name = words.first ?? ""
            switch CommandOutput.run(words, within: timeout, limit: Self.largestSize) {
            case .failure(let failure): throw .commandFailed(name, failure)
            case .success(let bytes): return try Self.secret(bytes, from: "password_command \"\(name)\"")
            }
        }
    }

    private static func secret(_ bytes: [UInt8], from source: String) throws(PasswordError) -> Secret {
        var bytes = bytes[...]
        while bytes.last == UInt8(ascii: "\n") || bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        let isLine = !bytes.contains { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") || $0 == 0 }
        guard !bytes.isEmpty, isLine else { throw .notOneLine(source: source) }
        return Secret(String(decoding: bytes, as: UTF8.self))
    }
}
