import CCrypto

/// The hash functions of HTTP digest authentication (RFC 7616 §3.2), weakest first. The one file that names libcrypto.
package enum MessageDigest: String, Hashable, Comparable, Sendable, CaseIterable {
    case md5 = "MD5"
    case sha256 = "SHA-256"

    /// The hash of `text` in lower-case hexadecimal digits; nil where the library refuses the function.
    package func hexadecimal(of text: [UInt8]) -> String? {
        var digest = [UInt8](repeating: 0, count: Int(CCRYPTO_DIGEST_MAX))
        let size = ccrypto_digest(libraryName, text, text.count, &digest)
        guard size > 0 else { return nil }
        let digits = Array("0123456789abcdef".utf8)
        let bytes = digest.prefix(Int(size)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: bytes, as: UTF8.self)
    }

    package static func < (left: MessageDigest, right: MessageDigest) -> Bool {
        left == .md5 && right == .sha256
    }

    private var libraryName: String {
        switch self {
        case .md5: "MD5"
        case .sha256: "SHA256"
        }
    }
}
