import CCrypto

/// The hash functions of HTTP digest authentication (RFC 7616 §3.2), weakest first. The one file that names libcrypto.
package enum MessageDigest: String, Hashable, Comparable, Sendable, CaseIterable {
    case md5 = "MD5"
    case sha512Truncated = "SHA-512-256"
    case sha256 = "SHA-256"

    /// The hash of `text` in lower-case hexadecimal digits; nil where the library refuses the function.
    package func hexadecimal(of text: [UInt8]) -> String? {
        var digest = [UInt8](repeating: 0, count: Int(CCRYPTO_DIGEST_MAX))
        let size = ccrypto_digest(libraryName, text, text.count, &digest)
        guard size > 0 else { return nil }
        return Self.hexadecimal(digest.prefix(Int(size)))
    }

    /// The first 128 bits of HMAC-SHA-256 (RFC 2104 §5) in lower-case hexadecimal digits; nil where the library refuses.
    package static func authenticationCode(of text: [UInt8], key: [UInt8]) -> String? {
        var code = [UInt8](repeating: 0, count: Int(CCRYPTO_DIGEST_MAX))
        guard ccrypto_hmac_sha256(key, key.count, text, text.count, &code) >= 16 else { return nil }
        return hexadecimal(code.prefix(16))
    }

    /// Whether two texts are the same, in a time that tells nothing of where they differ; only their lengths may show.
    package static func isSame(_ left: String, _ right: String) -> Bool {
        let (left, right) = (left.utf8, right.utf8)
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for (one, other) in zip(left, right) { difference |= one ^ other }
        return difference == 0
    }

    /// The order in which challenges are preferred. SHA-256 is what everybody has (RFC 7616 §3.7), and no weaker.
    package static func < (left: MessageDigest, right: MessageDigest) -> Bool {
        left.rank < right.rank
    }

    /// Whether a challenge with this hash is a step down from one with another (ROBUSTNESS S10).
    package var isObsolete: Bool { self == .md5 }

    private var rank: Int {
        switch self {
        case .md5: 0
        case .sha512Truncated: 1
        case .sha256: 2
        }
    }

    private var libraryName: String {
        switch self {
        case .md5: "MD5"
        case .sha512Truncated: "SHA512-256"
        case .sha256: "SHA256"
        }
    }

    private static func hexadecimal(_ bytes: ArraySlice<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
