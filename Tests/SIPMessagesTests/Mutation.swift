import EngineKit

/// Small damage to a message, as a seed decides.
enum Mutation {
    private static let pieces: [[UInt8]] = [
        "\r\n", "\r\n ", "\r\n\r\n", ";", ",", "<", ">", "\"", "\\", "%", "%00", ":", "@", "=", "?", "\0", "[", "]",
        "4294967296", "99999999999999999999", "Via: SIP/2.0/UDP a\r\n", "l: 3\r\n", "\u{e9}", " ", "\t", "*", "sip:",
    ].map { Array($0.utf8) }

    static func apply(_ bytes: inout [UInt8], _ random: inout RandomSource) {
        for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes.remove(at: index)
            case 2: bytes.insert(contentsOf: pieces[Int.random(in: 0..<pieces.count, using: &random)], at: index)
            case 3: bytes.removeSubrange(index..<min(bytes.count, index + Int.random(in: 1...40, using: &random)))
            case 4: bytes.insert(contentsOf: bytes[index..<min(bytes.count, index + 60)], at: index)
            default: bytes.removeSubrange(index...)
            }
        }
    }
}
