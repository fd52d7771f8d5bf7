import EngineKit

/// The nonces of our own challenges, which are remembered by nobody: each carries the time at which it was made, and a
/// code over time, realm and source that only we can make (RFC 7616 §3.3 suggests such a form).
///
/// 48 hexadecimal digits: 32 bits of seconds, 32 random ones that make each nonce the only one of its kind, and 128 bits
/// of HMAC-SHA-256 under a key of 256 bits that is drawn anew with each start.
struct ServerNonce: Sendable {
    /// What a nonce that we made says of itself.
    struct Stamp: Hashable, Sendable {
        /// On our own clock, modulo 2^32.
        var seconds: UInt32
        var salt: UInt32
    }

    private let key: [UInt8]
    private var random: RandomSource

    /// How long a nonce is good for, in seconds.
    static let lifetime: UInt32 = 300

    init(random: RandomSource) {
        var random = random
        key = (0..<4).flatMap { _ in withUnsafeBytes(of: random.next()) { Array($0) } }
        self.random = random
    }

    /// A new nonce for requests from `source`; nil where libcrypto refuses.
    mutating func make(realm: String, source: SourceTable.Key, at now: Instant) -> String? {
        let stamp = Stamp(seconds: Self.seconds(now), salt: UInt32(truncatingIfNeeded: random.next()))
        return code(of: stamp, realm: realm, source: source).map { stamp.text + $0 }
    }

    /// The stamp of a nonce that was made here for that realm and source, and has not run out; nil for all others.
    func stamp(of nonce: String, realm: String, source: SourceTable.Key, at now: Instant) -> Stamp? {
        guard let stamp = Stamp(nonce.prefix(Stamp.digits)),
            let code = code(of: stamp, realm: realm, source: source), MessageDigest.isSame(nonce, stamp.text + code),
            Self.seconds(now) &- stamp.seconds <= Self.lifetime
        else { return nil }
        return stamp
    }

    static func seconds(_ now: Instant) -> UInt32 {
        UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000_000)
    }

    private func code(of stamp: Stamp, realm: String, source: SourceTable.Key) -> String? {
        MessageDigest.authenticationCode(of: Array("\(stamp.text) \(source.bits) \(realm)".utf8), key: key)
    }
}

extension ServerNonce.Stamp {
    fileprivate static let digits = 16

    /// Reads the 16 digits as `text` writes them.
    fileprivate init?(_ text: Substring) {
        guard text.utf8.count == Self.digits, text.utf8.first != UInt8(ascii: "+"), let bits = UInt64(text, radix: 16)
        else { return nil }
        seconds = UInt32(truncatingIfNeeded: bits >> 32)
        salt = UInt32(truncatingIfNeeded: bits)
    }

    fileprivate var text: String {
        let digits = String(UInt64(seconds) << 32 | UInt64(salt), radix: 16)
        return String(repeating: "0", count: max(0, Self.digits - digits.utf8.count)) + digits
    }
}
