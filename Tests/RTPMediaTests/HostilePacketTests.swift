import AudioCodecs
import EngineKit
import Proofs
import RTPMedia
import Testing

/// Whatever arrives, a media session goes on.
struct HostilePacketTests {
    private func session() throws -> MediaSession {
        try MediaSession(
            configuration: VirtualCall.configuration(to: VirtualCall.addressB), random: RandomSource(seed: 1),
            at: .zero)
    }

    private func feed(_ packets: [[UInt8]]) throws -> MediaStatistics {
        var session = try session()
        var now = Instant.zero
        var output = [Int16](repeating: 0, count: 480)
        let remotes = [
            VirtualCall.addressB, SocketAddress(VirtualCall.addressB.address, port: VirtualCall.addressB.port + 1),
            SocketAddress(.v4(0x0102_0304), port: 5),
        ]
        for (index, bytes) in packets.enumerated() {
            let isRTCP = index % 5 == 3
            session.receivePacket(
                bytes.span, from: index % 11 == 10 ? remotes[2] : remotes[isRTCP ? 1 : 0], isRTCP: isRTCP, at: now)
            now += .milliseconds(index % 7 == 0 ? 10 : 4)
            if index % 3 == 0 {
                var span = output.mutableSpan
                session.playout(into: &span, at: now)
                session.capture(output.span, at: now)
            }
            if let deadline = session.deadline, deadline <= now { session.handleDeadline(at: now) }
            while session.nextPacket({ bytes, _, _ in #expect(bytes.count <= RTPPacket.maximumLength) }) {}
            while session.nextEvent() != nil {}
        }
        return session.statistics
    }

    @Test(.proves(.incident(14), .incident(15)), arguments: [1, 2, 3] as [UInt64])
    func randomPacketsOfTheNegotiatedTypes(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let packets = (0..<20_000).map { index -> [UInt8] in
            let length = Int.random(in: 0...(index % 10 == 0 ? 1_600 : 80), using: &random)
            var bytes = randomBytes(length, &random)
            if length >= 12 && index % 7 != 0 {
                bytes[0] = index % 13 == 0 ? bytes[0] & 0x3f | 0x80 : 0x80
                let types: [UInt8] = [0, 8, 96, 96, 96, 101, 102, 127, 200, 201, 203]
                bytes[1] = types[index % types.count]
                // Mostly one source in about one sequence, so that packets reach the decoders.
                (bytes[8], bytes[9], bytes[10], bytes[11]) = (0, 0, 0, UInt8(index / 400 % 3))
                (bytes[2], bytes[3]) = (UInt8(truncatingIfNeeded: index >> 8), UInt8(truncatingIfNeeded: index))
                if index % 4 != 0 { (bytes[4], bytes[5]) = (0, UInt8(truncatingIfNeeded: index >> 6)) }
            }
            return bytes
        }
        let statistics = try feed(packets)
        #expect(statistics.receivedPackets > 500)
        #expect(statistics.refused.malformed > 100)
        #expect(statistics.refused.foreignSource > 100)
    }

    @Test(
        .proves(.incident(14), .incident(16), .incident(17), .incident(18)),
        .enabled(if: corpora != nil, "OFFHOOK_CORPORA names no folder with recorded packets"))
    func recordedAndForgedPackets() throws {
        let files = corpusFiles(in: "fuzz", containing: ["rtp", "rtcp", "pjsip-audio"])
        let captures = corpusFiles(in: "pcap", containing: [".pcap"])
        #expect(files.count > 50 && !captures.isEmpty)
        var packets = files.map { Array($0.prefix(1_600)) }
        for capture in captures {
            // Cut anywhere: what follows a frame's headers by chance is as good a forgery as any.
            for start in stride(from: 0, to: min(capture.count, 200_000), by: 397) {
                packets.append(Array(capture[start...].prefix(200)))
            }
        }
        let statistics = try feed(packets)
        #expect(statistics.refused.malformed > 0)
    }

    @Test(.proves(.incident(19)))
    func timeAtItsEndsDoesNotTrap() throws {
        var session = try session()
        var output = [Int16](repeating: 0, count: 480)
        let bytes = rtpBytes([UInt8](repeating: 0, count: 160), sequence: 1, timestamp: .max)
        for nanoseconds in [0, 1 << 32, 1 << 48, 1 << 62, Int64.max - 1, .max, 5, .min] {
            let now = Instant(nanoseconds: nanoseconds)
            session.receivePacket(bytes.span, from: VirtualCall.addressB, isRTCP: false, at: now)
            session.capture(output.span, at: now)
            var span = output.mutableSpan
            session.playout(into: &span, at: now)
            session.handleDeadline(at: now)
            session.update(VirtualCall.configuration(.pcmu, to: VirtualCall.addressB), at: now)
            while session.nextPacket({ _, _, _ in }) {}
        }
        _ = session.statistics
        session.stop(at: .distantFuture)
    }
}
