/// `a=name` or `a=name:value` (RFC 8866 §5.13).
package struct Attribute: Hashable, Sendable {
    let nameText: ArraySlice<UInt8>
    let valueText: ArraySlice<UInt8>?

    package var name: String { nameText.text }
    package var value: String? { valueText?.text }

    /// An attribute of ours; nil where the name is no token or the value could not stand on a line.
    package init?(_ name: String, _ value: String? = nil) {
        self.init(clean: name, value)
        guard nameText.isToken, valueText?.isByteString ?? true else { return nil }
    }

    /// As `init(_:_:)`, for pieces that are known to be clean.
    init(clean name: String, _ value: String?) {
        nameText = Array(name.utf8)[...]
        valueText = value.map { Array($0.utf8)[...] }
    }

    init(parsing value: ArraySlice<UInt8>) {
        let (name, rest) = value.cut(at: UInt8(ascii: ":"))
        nameText = name.trimmed
        valueText = rest?.trimmed
    }

    var direction: Direction? {
        valueText == nil ? Direction(rawValue: name) : nil
    }
}

/// `b=type:value`, kilobits per second for AS and CT (RFC 8866 §5.8).
package struct Bandwidth: Hashable, Sendable {
    package let type: String
    package let value: UInt64

    init?(parsing value: ArraySlice<UInt8>) {
        let (type, rest) = value.cut(at: UInt8(ascii: ":"))
        guard type.isToken, let number = rest?.trimmed.decimal(UInt64.self) else { return nil }
        self.type = type.text
        self.value = number
    }
}
