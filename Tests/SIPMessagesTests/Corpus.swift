import Glibc

/// Files of the corpora that the environment variable OFFHOOK_CORPORA points to.
enum Corpus {
    static let root: String? = getenv("OFFHOOK_CORPORA").map { String(cString: $0) }

    static var isPresent: Bool { root != nil }

    /// The rows of an index, each by column name.
    static func index(_ group: String) -> [[String: String]] {
        let lines = String(decoding: bytes("\(group)/index.tsv") ?? [], as: UTF8.self).split(separator: "\n")
        guard let head = lines.first else { return [] }
        let columns = head.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        return lines.dropFirst().map { line in
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            return Dictionary(zip(columns, cells)) { first, _ in first }
        }
    }

    /// The octets of a file, or nil if there is none.
    static func bytes(_ path: String) -> [UInt8]? {
        guard let root, let file = fopen("\(root)/\(path)", "rb") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    /// The paths of all files below a folder, in the order of their names.
    static func files(_ folder: String) -> [String] {
        guard let root, let directory = opendir("\(root)/\(folder)") else { return [] }
        defer { closedir(directory) }
        var paths: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(".") { continue }
            let path = "\(folder)/\(name)"
            if entry.pointee.d_type == DT_DIR { paths += files(path) } else { paths.append(path) }
        }
        return paths.sorted()
    }
}
