import Glibc
import Testing

/// A folder of a test's own, readable by its owner alone, that goes with its last reference.
final class TemporaryFolder {
    let path: String
    private var written: [String] = []

    init() throws {
        var template = Array("/tmp/offhook-interop-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil, "no temporary folder")
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        for name in written { unlink("\(path)/\(name)") }
        rmdir(path)
    }

    /// Writes a file that only its owner reads, and tells its path.
    func write(_ bytes: [UInt8], as name: String) throws -> String {
        let file = "\(path)/\(name)"
        let descriptor = creat(file, 0o600)
        try #require(descriptor >= 0, "\(file) can't be written")
        defer { close(descriptor) }
        written.append(name)
        try #require(Glibc.write(descriptor, bytes, bytes.count) == bytes.count, "\(file) can't be written")
        return file
    }
}
