import EngineKit
import Testing

@testable import SIPUserAgent

@Suite struct BindingRequestTests {
    /// The transaction of the samples in RFC 5769 §2.
    private static let transaction: [UInt8] = [
        0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae,
    ]
    private let request = BindingRequest(transaction: transaction)

    private func message(_ type: [UInt8], _ attributes: [UInt8], transaction: [UInt8] = transaction) -> [UInt8] {
        type + [0, UInt8(attributes.count)] + [0x21, 0x12, 0xa4, 0x42] + transaction + attributes
    }

    private let software: [UInt8] = [0x80, 0x22, 0x00, 0x0b] + Array("test vector ".utf8)
    private let mappedV4: [UInt8] = [0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]
    private let mappedV6: [UInt8] = [
        0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25,
        0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
    ]

    @Test func isTwentyOctetsWithTheCookie() {
        #expect(request.bytes == [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42] + Self.transaction)
        #expect(BindingRequest.isSTUN(request.bytes))
        #expect(!BindingRequest.isSTUN(Array("OPTIONS sip:alice@example.com SIP/2.0".utf8)))
        var random = RandomSource(seed: 1)
        #expect(BindingRequest(random: &random) != BindingRequest(random: &random))
    }

    /// The addresses of RFC 5769 §2.2 and §2.3.
    @Test func readsTheMappedAddressOfBothFamilies() throws {
        let v4 = try #require(SocketAddress("192.0.2.1:32853"))
        let v6 = try #require(SocketAddress("[2001:db8:1234:5678:11:2233:4455:6677]:32853"))
        #expect(request.answer(in: message([1, 1], software + mappedV4)) == .success(v4))
        #expect(request.answer(in: message([1, 1], mappedV6)) == .success(v6))
        #expect(request.answer(in: message([1, 1], software)) == .success(nil))
        #expect(request.answer(in: message([1, 0x11], [])) == .failure)
    }

    @Test func takesNoAnswerToAnotherRequest() {
        let other = [UInt8](repeating: 7, count: 12)
        #expect(request.answer(in: message([1, 1], mappedV4, transaction: other)) == nil)
        #expect(request.answer(in: message([0, 1], mappedV4)) == nil)
        #expect(request.answer(in: request.bytes) == nil)
    }

    /// Whatever is cut off or changed: an answer, or none, and no trap.
    @Test func readsAnyBytes() {
        let whole = message([1, 1], software + mappedV6)
        for length in 0..<whole.count { #expect(request.answer(in: Array(whole.prefix(length))) == nil) }
        var random = RandomSource(seed: 5)
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                bytes[index] = UInt8(truncatingIfNeeded: random.next())
            }
            if case .success(let address?)? = request.answer(in: bytes) { #expect(address.port <= UInt16.max) }
        }
    }
}
