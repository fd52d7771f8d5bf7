/// What SIPp says in a call: 400 Hz at -12 dBFS as G.711 μ-law (8000 Hz), one second that repeats without a click.
enum MuLawTone {
    static let hertz = 400

    static let second = [[UInt8]](repeating: period, count: hertz).flatMap { $0 }

    private static let period: [UInt8] = [
        0xff, 0xbb, 0xad, 0xa6, 0xa1, 0xa0, 0xa1, 0xa6, 0xad, 0xbb,
        0xff, 0x3b, 0x2d, 0x26, 0x21, 0x20, 0x21, 0x26, 0x2d, 0x3b,
    ]
}
