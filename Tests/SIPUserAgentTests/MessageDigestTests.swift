import Proofs
import Testing

@testable import SIPUserAgent

@Suite struct MessageDigestTests {
    /// RFC 1321 §A.5, and FIPS 180-2 appendix B.1.
    @Test(
        .proves(.clause("RFC 1321 §A.5")),
        arguments: [
            (MessageDigest.md5, "", "d41d8cd98f00b204e9800998ecf8427e"),
            (.md5, "abc", "900150983cd24fb0d6963f7d28e17f72"),
            (.md5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
            (.sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (.sha512Truncated, "abc", "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"),
        ])
    func givesTheHashesOfTheStandards(digest: MessageDigest, text: String, expected: String) {
        #expect(digest.hexadecimal(of: Array(text.utf8)) == expected)
    }

    /// RFC 4231 §4.3, cut to 128 bits.
    @Test func givesTheCodeOfTheStandard() {
        let code = MessageDigest.authenticationCode(
            of: Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
        #expect(code == "5bdcc146bf60754e6a042426089575c7")
    }

    @Test(arguments: [("", "", true), ("a", "a", true), ("a", "b", false), ("ab", "a", false), ("ba", "aa", false)])
    func comparesWholeTexts(left: String, right: String, expected: Bool) {
        #expect(MessageDigest.isSame(left, right) == expected)
    }

    @Test func ordersByPreference() {
        #expect(MessageDigest.md5 < .sha512Truncated && MessageDigest.sha512Truncated < .sha256)
        #expect(MessageDigest.allCases.filter(\.isObsolete) == [.md5])
        #expect(MessageDigest.allCases.max() == .sha256)
    }
}
