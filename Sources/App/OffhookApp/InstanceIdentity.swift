import Glibc

/// Who this phone is among those that register for the same accounts (RFC 5626 §4.1): a URN that outlives the process, so
/// that a registrar replaces what an earlier run left behind.
///
/// Phones that run at once need one each, or the later one would take the place of the earlier: a file is locked while its
/// identity is in use, and the next one is taken.
final class InstanceIdentity: Sendable {
    /// `urn:uuid:` and a UUID of version 4 (RFC 4122 §4.4).
    let urn: String
    private let descriptor: CInt

    private static let atOnce = 16
    private static let prefix = "urn:uuid:"

    private init(urn: String, descriptor: CInt) {
        self.urn = urn
        self.descriptor = descriptor
    }

    /// Closing gives up the lock.
    deinit { close(descriptor) }

    /// The first identity that nobody uses, made where there is none; nil where the state directory can't be written.
    static func taken(environment: (String) -> String? = environmentVariable) -> InstanceIdentity? {
        guard let directory = stateDirectory(environment: environment), make(directory) else { return nil }
        for number in 1...atOnce {
            let descriptor = open(
                "\(directory)/instance\(number == 1 ? "" : ".\(number)")", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                0o600)
            guard descriptor >= 0 else { return nil }
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                close(descriptor)
                continue
            }
            guard let urn = read(descriptor) ?? write(to: descriptor) else {
                close(descriptor)
                return nil
            }
            return InstanceIdentity(urn: urn, descriptor: descriptor)
        }
        return nil
    }

    /// `$XDG_STATE_HOME/offhook`, with `~/.local/state` where the variable is unset or not absolute.
    static func stateDirectory(environment: (String) -> String?) -> String? {
        if let directory = environment("XDG_STATE_HOME"), directory.hasPrefix("/") { return "\(directory)/offhook" }
        guard let home = environment("HOME"), home.hasPrefix("/") else { return nil }
        return "\(home)/.local/state/offhook"
    }

    /// Makes a directory with those above it.
    private static func make(_ directory: String) -> Bool {
        var path = ""
        for part in directory.split(separator: "/") {
            path += "/\(part)"
            guard mkdir(path, 0o700) == 0 || errno == EEXIST else { return false }
        }
        return true
    }

    /// What the file says; nil where it is empty or no URN of ours.
    private static func read(_ descriptor: CInt) -> String? {
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        let line = String(decoding: bytes.prefix(count).prefix { $0 != 0x0a }, as: UTF8.self)
        return isURN(line) ? line : nil
    }

    static func isURN(_ text: String) -> Bool {
        guard text.hasPrefix(prefix) else { return false }
        let groups = text.dropFirst(prefix.count).utf8.split(
            separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return groups.map(\.count) == [8, 4, 4, 4, 12]
            && groups.joined().allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func write(to descriptor: CInt) -> String? {
        let urn = prefix + uuid()
        let line = Array((urn + "\n").utf8)
        guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, line, line.count, 0) == line.count else { return nil }
        return urn
    }

    private static func uuid() -> String {
        var generator = SystemRandomNumberGenerator()
        let high: UInt64 = generator.next() & ~0xf000 | 0x4000
        let low: UInt64 = generator.next() & ~(0b11 << 62) | 0b10 << 62
        func digits(_ value: UInt64, _ count: Int) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        return [
            digits(high >> 32, 8), digits(high >> 16 & 0xffff, 4), digits(high & 0xffff, 4), digits(low >> 48, 4),
            digits(low & 0xffff_ffff_ffff, 12),
        ].joined(separator: "-")
    }
}
