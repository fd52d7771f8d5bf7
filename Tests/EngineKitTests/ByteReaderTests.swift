import EngineKit
import Proofs
import Testing

struct ByteReaderTests {
    @Test func readsNetworkOrderAndStopsAtTheEnd() {
        let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]
        var reader = ByteReader(bytes.span)
        let values = [
            reader.readUInt8().map(UInt64.init), reader.readUInt16().map(UInt64.init),
            reader.readUInt32().map(UInt64.init), reader.readUInt64(),
        ]
        #expect(values == [1, 0x0203, 0x0405_0607, 0x0809_0a0b_0c0d_0e0f])
        let past = [reader.readUInt8() == nil, reader.skip(0) != nil, reader.skip(1) == nil, reader.skip(-1) == nil]
        #expect(past == [true, true, true, true])
    }

    @Test func aReadThatDoesNotFitLeavesThePosition() {
        let bytes: [UInt8] = [1, 2, 3]
        var reader = ByteReader(bytes.span)
        let isMissing = reader.readUInt32() == nil && reader.readUInt64() == nil
        let position = reader.position
        let value = reader.readUInt16()
        #expect(isMissing && position == 0 && value == 0x0102)
    }

    @Test(.proves(.incident(6)), arguments: 0...15)
    func writerStopsAtTheEndOfItsMemory(capacity: Int) {
        var bytes = [UInt8](repeating: 0xee, count: 16)
        bytes.withUnsafeMutableBufferPointer { memory in
            let room = UnsafeMutableBufferPointer(rebasing: memory[..<capacity])
            var writer = ByteWriter(room.mutableSpan)
            writer.write(UInt8(1))
            writer.write(UInt16(0x0203))
            writer.write(UInt32(0x0405_0607))
            writer.write(UInt64(0x0809_0a0b_0c0d_0e0f))
            let (overflowed, count) = (writer.overflowed, writer.count)
            #expect(overflowed == (capacity < 15))
            #expect(count == min(capacity, 15))
        }
        for index in 0..<16 { #expect(bytes[index] == (index < min(capacity, 15) ? UInt8(index + 1) : 0xee)) }
    }

    @Test func writtenLengthsCanBeFilledInLater() {
        var bytes = [UInt8](repeating: 0, count: 6)
        bytes.withUnsafeMutableBufferPointer { memory in
            var writer = ByteWriter(memory.mutableSpan)
            writer.write(UInt32(0))
            writer.overwrite(0xabcd, at: 2)
            writer.overwrite(0xffff, at: 3)
            writer.overwrite(0xffff, at: -1)
        }
        #expect(bytes == [0, 0, 0xab, 0xcd, 0, 0])
    }

    @Test func fixedBufferHoldsWhatIsPutIntoIt() {
        var buffer = FixedBuffer<Int16>(repeating: 7, count: 4)
        buffer[2] = -1
        let part = buffer.elements(1..<3)
        #expect(Array(part) == [7, -1])
        #expect(buffer.elements.count == 4)
    }

    @Test func fixedBufferMakesRoomForTheNewest() {
        var buffer = FixedBuffer<Int16>(repeating: 0, count: 4)
        for (newest, held) in [
            ([1], [0, 0, 0, 1]), ([2, 3], [0, 1, 2, 3]), ([], [0, 1, 2, 3]), ([4, 5, 6, 7, 8], [5, 6, 7, 8]),
        ] as [([Int16], [Int16])] {
            newest.withUnsafeBufferPointer { buffer.push($0) }
            #expect(Array(buffer.elements) == held)
        }
    }
}
