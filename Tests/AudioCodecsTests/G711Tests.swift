import AudioCodecs
import Testing

struct G711Tests {
    @Test(arguments: [G711.muLaw, .aLaw])
    func everyCodeComesBack(law: G711) {
        for code in UInt8.min...UInt8.max {
            let again = law.encode(law.decode(code))
            // µ-law has two zeros, of which one is written.
            #expect(again == code || (law == .muLaw && code == 0x7f && again == 0xff))
        }
    }

    @Test func knownPointsOfBothLaws() {
        #expect(G711.muLaw.decode(0xff) == 0)
        #expect(G711.muLaw.decode(0x80) == 32_124)
        #expect(G711.muLaw.decode(0x00) == -32_124)
        #expect(G711.muLaw.encode(1_000) == 0xce)
        #expect(G711.aLaw.decode(0xd5) == 8)
        #expect(G711.aLaw.decode(0x55) == -8)
        #expect(G711.aLaw.decode(0xaa) == 32_256)
        #expect(G711.aLaw.encode(1_000) == 0xfa)
    }

    @Test(arguments: [G711.muLaw, .aLaw])
    func everySampleKeepsItsValueWithinHalfAStep(law: G711) {
        for sample in Int16.min...Int16.max {
            let error = abs(Int(law.decode(law.encode(sample))) - Int(sample))
            // The widest step is 1024 of 32768, and what is above the last code is clipped to it.
            #expect(error <= max(16, abs(Int(sample)) / 16) + (abs(Int(sample)) > 32_000 ? 700 : 0))
        }
    }

    @Test(arguments: [G711.muLaw, .aLaw])
    func manyAtOnceAreAsEachAlone(law: G711) {
        let samples = (Int16.min...Int16.max).map { $0 }
        var codes = [UInt8](repeating: 0, count: samples.count)
        var codeSpan = codes.mutableSpan
        law.encode(samples.span, into: &codeSpan)
        #expect(codes == samples.map { law.encode($0) })
        var decoded = [Int16](repeating: 0, count: codes.count)
        var span = decoded.mutableSpan
        law.decode(codes.span, into: &span)
        #expect(decoded == codes.map { law.decode($0) })
    }
}
