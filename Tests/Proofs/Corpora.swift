import Glibc

/// Messages, descriptions and captures of others, in the folder that the environment variable OFFHOOK_CORPORA names.
package enum Corpora {
    private static let root: String? = getenv("OFFHOOK_CORPORA").map { String(cString: $0) }

    package static var arePresent: Bool { root != nil }

    /// Why a test that needs them was skipped.
    package static let absence = "OFFHOOK_CORPORA names no folder"

    /// The rows of a group's index, each by column name.
    package static func index(_ group: String) -> [[String: String]] {
        let lines = String(decoding: bytes("\(group)/index.tsv") ?? [], as: UTF8.self).split(separator: "\n")
        guard let head = lines.first else { return [] }
        let columns = head.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        return lines.dropFirst().map { line in
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            return Dictionary(zip(columns, cells)) { first, _ in first }
        }
    }

    /// Where a file lies.
    package static func path(_ file: String) -> String { "\(root ?? "")/\(file)" }

    /// The octets of a file, or nil if there is none.
    package static func bytes(_ file: String) -> [UInt8]? {
        guard root != nil, let file = fopen(path(file), "rb") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    /// All files below a folder, in the order of their names.
    package static func files(_ folder: String, endingIn suffix: String = "") -> [String] {
        guard root != nil, let directory = opendir(path(folder)) else { return [] }
        defer { closedir(directory) }
        var files: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(".") { continue }
            let file = "\(folder)/\(name)"
            if entry.pointee.d_type == DT_DIR {
                files += self.files(file, endingIn: suffix)
            } else if name.hasSuffix(suffix) {
                files.append(file)
            }
        }
        return files.sorted()
    }
}
