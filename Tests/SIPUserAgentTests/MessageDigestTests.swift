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
        ])
    func givesTheHashesOfTheStandards(digest: MessageDigest, text: String, expected: String) {
        #expect(digest.hexadecimal(of: Array(text.utf8)) == expected)
    }

    @Test func ordersByStrength() {
        #expect(MessageDigest.md5 < .sha256)
        #expect(MessageDigest.allCases.max() == .sha256)
    }
}
