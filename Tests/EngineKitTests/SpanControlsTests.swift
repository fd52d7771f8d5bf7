import EngineKit
import Testing

struct SpanControlsTests {
    @Test(arguments: [0x00, 0x0a, 0x0d, 0x0f] as [UInt8])
    func theFirstControlIsFoundWhereverItStands(control: UInt8) {
        for count in 0..<50 {
            for place in 0...count {
                // What stands before and behind has the values next to the limit, and such as have the top bit.
                var bytes = (0..<count).map { [0x10, 0x7f, 0x80, 0x8f, 0xff, 0x20][$0 % 6] as UInt8 }
                if place < count { bytes[place] = control }
                for start in 0...count {
                    let expected = bytes.indices.first { $0 >= start && bytes[$0] < 16 } ?? count
                    let found = bytes.span.firstControl(from: start)
                    if found != expected { Issue.record("\(count) octets, one at \(place): \(found) from \(start)") }
                }
            }
        }
    }
}
