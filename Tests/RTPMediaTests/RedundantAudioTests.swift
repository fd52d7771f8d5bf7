import AudioCodecs
import EngineKit
import Proofs
import Testing

@testable import RTPMedia

struct RedundantAudioTests {
    private static let payloadType: UInt8 = 121

    // MARK: - The payload

    /// What parsing gave, as values that can be compared.
    private struct Read: Equatable {
        var copies: [RedundantAudio.Block]
        var own: RedundantAudio.Block
    }

    private func read(_ bytes: [UInt8]) -> Result<Read, RedundantAudioError> {
        do {
            let audio = try RedundantAudio(parsing: bytes.span)
            return .success(Read(copies: (0..<audio.copyCount).compactMap { audio.copy($0) }, own: audio.own))
        } catch {
            return .failure(error)
        }
    }

    /// A DVI4 block of 4,000 ticks ago in 84 octets and an LPC block of 160 in 14, before nothing: RFC 2198 §6.
    @Test(.proves(.clause("RFC 2198 §3")))
    func theBlocksFollowTheHeadersInTheirOrder() throws {
        let octets = (0..<98).map { UInt8($0) }
        let bytes: [UInt8] = [0x80 | 5, 0x3e, 0x80, 0x54, 0x80 | 7, 0x02, 0x80, 0x0e, 0] + octets + [1, 2, 3]
        let expected = Read(
            copies: [
                RedundantAudio.Block(payloadType: 5, offset: 4_000, octets: 9..<93),
                RedundantAudio.Block(payloadType: 7, offset: 160, octets: 93..<107),
            ], own: RedundantAudio.Block(payloadType: 0, offset: 0, octets: 107..<110))
        #expect(read(bytes) == .success(expected))
    }

    @Test(.proves(.clause("RFC 2198 §3")))
    func whatIsWrittenIsReadAgain() {
        for (offset, length) in [(960, 120), (0x3fff, 0x3ff), (1, 0)] as [(UInt32, Int)] {
            let headers = written {
                RedundantAudio.writeHeaders(copyType: 96, offset: offset, copyLength: length, ownType: 97, to: &$0)
            }
            let bytes = headers + [UInt8](repeating: 7, count: length) + [8]
            let expected = Read(
                copies: [RedundantAudio.Block(payloadType: 96, offset: offset, octets: 5..<5 + length)],
                own: RedundantAudio.Block(payloadType: 97, offset: 0, octets: 5 + length..<6 + length))
            #expect(read(bytes) == .success(expected))
        }
    }

    @Test func whatEndsTooEarlyIsRefused() {
        let whole: [UInt8] = [0x80 | 5, 0x3e, 0x80, 0x04, 0, 1, 2, 3, 4]
        for length in 0..<whole.count { #expect(read(Array(whole[..<length])) == .failure(.truncated)) }
        #expect(read(whole) != .failure(.truncated))
        let many = [UInt8](repeating: 0x80, count: 400)
        #expect(read(many) == .failure(.tooManyCopies))
    }

    @Test func anyBytesAreBlocksWithinThemOrAnError() {
        var random = RandomSource(seed: 9)
        for _ in 0..<20_000 {
            var bytes = randomBytes(Int.random(in: 0...60, using: &random), &random)
            if !bytes.isEmpty, Bool.random(using: &random) { bytes[0] |= 0x80 }
            guard case .success(let audio) = read(bytes) else { continue }
            for block in audio.copies + [audio.own] { #expect(block.octets.upperBound <= bytes.count) }
        }
    }

    // MARK: - In a call

    private func call(_ codec: AudioCodec = .opus, jitterTarget: Duration? = nil) throws -> VirtualCall {
        func configuration(to remote: SocketAddress) -> MediaConfiguration {
            var configuration = VirtualCall.configuration(codec, to: remote, jitterTarget: jitterTarget)
            configuration.redundancyPayloadType = Self.payloadType
            configuration.receiveFormats.insert(.redundantAudio, payloadType: Self.payloadType)
            return configuration
        }
        let call = try VirtualCall(
            configuration(to: VirtualCall.addressB), configuration(to: VirtualCall.addressA))
        call.a.tone(1_000)
        return call
    }

    private func redundant(_ phone: Phone) -> Int {
        phone.sent.count { !$0.isRTCP && $0.bytes[1] & 0x7f == Self.payloadType }
    }

    @Test func nothingIsRepeatedWhereNothingIsLost() throws {
        let call = try call()
        call.run(.seconds(15))
        #expect(redundant(call.a) == 0)
    }

    /// Three lost in a row come back all, once the peer has reported that it loses.
    @Test(arguments: [AudioCodec.opus, .pcma])
    func aBurstOfThreeIsBroughtBack(codec: AudioCodec) throws {
        let call = try call(codec)
        var number = 0
        call.filter = { _, toB, isRTCP, _ in
            guard toB, !isRTCP else { return true }
            number += 1
            return number < 20 || number % 20 >= 3
        }
        call.run(.seconds(15))
        let before = call.b.session.statistics
        call.run(.seconds(10))
        let after = call.b.session.statistics
        #expect(after.lost - before.lost >= 70)
        #expect(after.recoveredByFEC - before.recoveredByFEC >= after.lost - before.lost - 3)
        #expect(after.concealedMilliseconds == before.concealedMilliseconds)
        let tone = call.b.detect(1_000, from: 15)
        #expect(tone.windowsWithTone >= tone.windows - 1)
    }

    @Test func itStopsOnceNothingIsLostAnyMore() throws {
        let call = try call()
        call.impairment = Impairment(loss: 0.1)
        call.run(.seconds(15))
        #expect(redundant(call.a) > 300)
        call.impairment = .none
        call.run(.seconds(45))
        let before = redundant(call.a)
        call.run(.seconds(5))
        #expect(redundant(call.a) == before)
        #expect(call.b.session.statistics.bufferMilliseconds < 30)
    }

    /// A codec changes: what was coded before is not sent under the numbers and the clock of now.
    @Test func copiesDoNotOutliveTheirCodec() throws {
        let call = try call()
        call.impairment = Impairment(loss: 0.1)
        call.run(.seconds(15))
        var configuration = call.a.session.configuration
        configuration.sendCodec = .pcmu
        configuration.sendPayloadType = 0
        call.a.session.update(configuration, at: call.now)
        let before = call.a.sent.count
        call.run(.seconds(1))
        var copies = 0
        for packet in call.a.sent[before...] where packet.bytes[1] & 0x7f == Self.payloadType && !packet.isRTCP {
            let audio = try RedundantAudio(parsing: Array(packet.bytes[RTPPacket.headerLength...]).span)
            let copy = try #require(audio.copy(0))
            #expect(copy.payloadType == 0 && copy.offset == 480)
            copies += 1
        }
        #expect(copies > 40)
    }

    /// What came itself after its copy is no duplicate, and nothing of it counts as lost.
    @Test func thePacketThatComesAfterItsCopyCounts() throws {
        let call = try call(.pcmu, jitterTarget: .milliseconds(100))
        call.run(.seconds(1))
        let source = call.a.address
        let template = try parsedRTP(try #require(call.a.sent.last { !$0.isRTCP }).bytes).get()
        call.filter = { _, _, isRTCP, _ in isRTCP }
        func bytes(_ index: Int, _ payload: [UInt8], payloadType: UInt8 = 0) -> [UInt8] {
            rtpBytes(
                payload, payloadType: payloadType, sequence: template.sequenceNumber.advanced(by: index).rawValue,
                timestamp: template.timestamp &+ UInt32(index * 160), source: template.synchronizationSource)
        }
        let silence = [UInt8](repeating: 0xff, count: 160)
        let headers = written {
            RedundantAudio.writeHeaders(copyType: 0, offset: 160, copyLength: 160, ownType: 0, to: &$0)
        }
        let before = call.b.session.statistics
        for packet in [bytes(2, headers + silence + silence, payloadType: Self.payloadType), bytes(1, silence)] {
            call.b.session.receivePacket(packet.span, from: source, isRTCP: false, at: call.now)
        }
        call.run(.milliseconds(200))
        let after = call.b.session.statistics
        #expect(after.duplicate == before.duplicate && after.recoveredByFEC == 0)
        #expect(after.receivedPackets == before.receivedPackets + 2)
    }

    @Test func redundantAudioWithinRedundantAudioIsNotRead() throws {
        let call = try call(.pcmu)
        let inner = written {
            RedundantAudio.writeHeaders(
                copyType: 0, offset: 160, copyLength: 0, ownType: Self.payloadType, to: &$0)
        }
        let packet = rtpBytes(inner + inner + inner, payloadType: Self.payloadType, sequence: 5, timestamp: 800)
        call.b.session.receivePacket(packet.span, from: call.a.address, isRTCP: false, at: call.now)
        #expect(call.b.session.statistics.refused.unknownPayloadType == 1)
    }
}
