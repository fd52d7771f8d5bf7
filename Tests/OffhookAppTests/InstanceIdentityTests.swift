import Glibc
import Testing

@testable import OffhookApp

@Suite struct InstanceIdentityTests {
    /// A state directory of the test's own, gone afterwards.
    private func withDirectory(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/offhook-state-XXXXXX".utf8CString)
        let path = try #require(mkdtemp(&template).map { String(cString: $0) })
        defer {
            for name in ["instance", "instance.2"] { unlink("\(path)/deep/offhook/\(name)") }
            for directory in ["\(path)/deep/offhook", "\(path)/deep", path] { rmdir(directory) }
        }
        try body(path)
    }

    private func taken(_ path: String) -> InstanceIdentity? {
        InstanceIdentity.taken { $0 == "XDG_STATE_HOME" ? "\(path)/deep" : nil }
    }

    @Test func staysTheSameFromRunToRun() throws {
        try withDirectory { path in
            let first = try #require(taken(path)?.urn)
            #expect(InstanceIdentity.isURN(first))
            #expect(taken(path)?.urn == first)
            var status = stat()
            #expect(stat("\(path)/deep/offhook/instance", &status) == 0 && status.st_mode & 0o777 == 0o600)
        }
    }

    @Test func phonesThatRunAtOnceHaveOneEach() throws {
        try withDirectory { path in
            let first = try #require(taken(path))
            let second = try #require(taken(path))
            #expect(first.urn != second.urn)
            withExtendedLifetime((first, second)) {}
        }
    }

    @Test(arguments: ["", "nonsense", "urn:uuid:F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", "urn:uuid:1-2-3-4-5"])
    func aFileThatNamesNobodyIsWrittenAnew(contents: String) throws {
        try withDirectory { path in
            _ = taken(path)
            let file = open("\(path)/deep/offhook/instance", O_WRONLY | O_TRUNC)
            _ = write(file, contents, contents.utf8.count)
            close(file)
            let urn = try #require(taken(path)?.urn)
            #expect(InstanceIdentity.isURN(urn) && taken(path)?.urn == urn)
        }
    }

    @Test func doesWithoutWhereNothingCanBeKept() {
        #expect(InstanceIdentity.taken { $0 == "XDG_STATE_HOME" ? "/proc/nowhere" : nil } == nil)
        #expect(InstanceIdentity.taken { _ in nil } == nil)
    }
}
