import Glibc
import Proofs
import SIPUserAgent
import Testing

@testable import OffhookApp

/// A directory of one test, gone with it.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/offhook-test-XXXXXX".utf8CString)
        path = String(cString: try #require(mkdtemp(&template)))
    }

    deinit {
        for name in ["config.toml", "secret", "marker"] { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    func write(_ text: String, to name: String, mode: mode_t = 0o600) throws -> String {
        let file = "\(path)/\(name)"
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC, mode)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        #expect(Glibc.write(descriptor, bytes, bytes.count) == bytes.count)
        fchmod(descriptor, mode)
        return file
    }
}

struct PasswordTests {
    private func password(_ words: String..., within timeout: Duration = .seconds(10)) throws(PasswordError) -> Secret {
        try PasswordSource.command(words).password(within: timeout)
    }

    @Test func takesWhatAProgramPrintsWithoutItsLineBreaks() throws {
        #expect(try password("printf", "sword fish\r\n\n") == Secret("sword fish"))
        #expect(try password("/bin/echo", " x ") == Secret(" x "))
    }

    @Test(.proves(.rule(19)))
    func startsNoShell() throws {
        let directory = try TemporaryDirectory()
        let marker = "\(directory.path)/marker"
        #expect(try password("echo", "$HOME;`touch \(marker)`") == Secret("$HOME;`touch \(marker)`"))
        #expect(access(marker, F_OK) != 0)
    }

    @Test func endsAProgramThatDoesNot() {
        let bound = Duration.milliseconds(50)
        let expected = PasswordError.commandFailed("sleep", .timedOut(bound))
        #expect(throws: expected) { try password("sleep", "1000", within: bound) }
        // One that closes its output, and stays.
        #expect(throws: PasswordError.commandFailed("sh", .timedOut(bound))) {
            try password("sh", "-c", "exec >&-; exec sleep 1000", within: bound)
        }
    }

    @Test func saysWhyAProgramGaveNothing() {
        #expect(throws: PasswordError.commandFailed("false", .exited(status: 1))) { try password("false") }
        #expect(throws: PasswordError.commandFailed("sh", .endedBySignal(9))) { try password("sh", "-c", "kill -9 $$") }
        #expect(throws: PasswordError.commandFailed("yes", .tooMuchOutput(limit: 4096))) { try password("yes") }
        #expect(
            throws: PasswordError.commandFailed("no-such-program", .notStarted(reason: "No such file or directory"))
        ) {
            try password("no-such-program")
        }
        #expect(throws: PasswordError.notOneLine(source: "password_command \"true\"")) { try password("true") }
        #expect(throws: PasswordError.notOneLine(source: "password_command \"printf\"")) {
            try password("printf", "a\nb")
        }
    }

    @Test(.proves(.rule(18)))
    func readsAFileThatIsForItsOwnerAlone() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("swordfish\n", to: "secret")
        #expect(try PasswordSource.file(path).password() == Secret("swordfish"))
        chmod(path, 0o640)
        #expect(throws: PasswordError.fileOpenToOthers(path)) { try PasswordSource.file(path).password() }
        #expect(throws: PasswordError.fileUnreadable("/nonexistent", reason: "No such file or directory")) {
            try PasswordSource.file("/nonexistent").password()
        }
        #expect(throws: PasswordError.fileUnreadable("/dev/zero", reason: "it is not a regular file")) {
            try PasswordSource.file("/dev/zero").password()
        }
    }
}

struct ConfigurationFileTests {
    @Test func readsTheFileWithItsPermissions() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("[sip]\n", to: "config.toml", mode: 0o644)
        let file = try ConfigurationFile(reading: path)
        #expect(file.bytes == Array("[sip]\n".utf8))
        #expect(file.mode == 0o644)
    }

    @Test func saysWhyAFileCannotBeRead() {
        let missing = #expect(throws: ConfigurationError.self) { try ConfigurationFile(reading: "/nonexistent/c.toml") }
        #expect(missing?.description == "/nonexistent/c.toml: can't be read: No such file or directory")
        let endless = #expect(throws: ConfigurationError.self) { try ConfigurationFile(reading: "/dev/zero") }
        #expect(endless?.description == "/dev/zero: can't be read: it is not a regular file")
    }

    @Test func findsTheDefaultPath() {
        let set = ["XDG_CONFIG_HOME": "/x", "HOME": "/home/a"]
        #expect(ConfigurationFile.defaultPath { set[$0] } == "/x/offhook/config.toml")
        // The XDG specification has a relative path ignored.
        let relative = ["XDG_CONFIG_HOME": "x", "HOME": "/home/a"]
        #expect(ConfigurationFile.defaultPath { relative[$0] } == "/home/a/.config/offhook/config.toml")
        #expect(ConfigurationFile.defaultPath { _ in nil } == nil)
    }

    @Test func aMissingDefaultIsNoFault() throws {
        let directory = try TemporaryDirectory()
        #expect(try ConfigurationFile.readingDefault { $0 == "XDG_CONFIG_HOME" ? directory.path : nil } == nil)
    }
}
