import Glibc

/// The torture messages of RFC 4475 in the corpora that the environment variable OFFHOOK_CORPORA points to.
enum TortureFiles {
    private static let folder = getenv("OFFHOOK_CORPORA").map { String(cString: $0) + "/rfc4475" }

    static var arePresent: Bool { folder != nil }

    /// Name and octets of each, in the order of their names.
    static func all() -> [(name: String, bytes: [UInt8])] {
        guard let folder, let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".dat") { names.append(name) }
        }
        return names.sorted().map { ($0, bytes(of: "\(folder)/\($0)")) }
    }

    private static func bytes(of path: String) -> [UInt8] {
        guard let file = fopen(path, "rb") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 70_000)
        return Array(bytes[..<fread(&bytes, 1, bytes.count, file)])
    }
}
