import ArgumentParser
import Glibc

/// The seeds of a file: a number at the start of each line, behind it what the seed once found. `#` begins a comment.
struct SeedList {
    let seeds: [UInt64]

    init(path: String) throws {
        guard let file = fopen(path, "r") else { throw ValidationError("can't read \(path)") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var next = getc(file)
        while next != EOF, bytes.count < 1 << 20 {
            bytes.append(UInt8(truncatingIfNeeded: next))
            next = getc(file)
        }
        var seeds: [UInt64] = []
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("#") {
            guard let seed = line.split(separator: " ").first.flatMap({ UInt64($0) }) else {
                throw ValidationError("\(path): no seed in \"\(line)\"")
            }
            seeds.append(seed)
        }
        self.seeds = seeds
    }
}
