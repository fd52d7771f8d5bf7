import Testing

/// What a test, or every test of a suite, proves: `@Test(.proves(.row(25), .clause("RFC 3262 §3")))`.
///
/// `.ci/rfc-coverage` reads these out of the sources and writes `Docs/RFC-Coverage.md` from them, so a claim is
/// written in place, with literals. Where a test fails, what no longer holds is told beside it.
package struct Proof: TestTrait, SuiteTrait {
    package let claims: [Claim]

    package var isRecursive: Bool { true }

    package var comments: [Comment] { ["proves \(claims.map(\.description).joined(separator: ", "))"] }
}

extension Trait where Self == Proof {
    package static func proves(_ claims: Claim...) -> Self { Proof(claims: claims) }
}
