extension Double {
    /// Reads a number without a sign, as written on the command line: `4`, `3.8`.
    init?(plain text: some StringProtocol) {
        guard text.utf8.allSatisfy({ $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }) else { return nil }
        self.init(text)
    }

    /// Reads a share of 100 as written: `2%`, `0.5%`.
    init?(percentage text: String) {
        guard text.hasSuffix("%"), let value = Double(plain: text.dropLast()), value <= 100 else { return nil }
        self = value
    }
}
