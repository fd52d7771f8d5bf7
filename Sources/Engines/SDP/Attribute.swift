/// `a=name` or `a=name:value` (RFC 8866 §5.13).
package struct Attribute: Hashable, Sendable {
    package let name: String
    package let value: String?

    /// An attribute of ours; nil where the name is no token or the value could not stand on a line.
    package init?(_ name: String, _ value: String? = nil) {
        guard Array(name.utf8)[...].isToken, Array((value ?? "").utf8)[...].isByteString else { return nil }
        self.init(clean: name, value)
    }

    /// As `init(_:_:)`, for pieces that are known to be clean.
    init(clean name: String, _ value: String?) {
        self.name = name
        self.value = value
    }

    init(parsing value: [UInt8]) {
        let (name, rest) = value[...].cut(at: ":")
        self.init(clean: name.trimmed.text, rest?.trimmed.text)
    }

    var line: SDPLine { SDPLine(.attribute, value.map { "\(name):\($0)" } ?? name) }
}

/// `b=type:value`, kilobits per second for AS and CT (RFC 8866 §5.8).
package struct Bandwidth: Hashable, Sendable {
    package let type: String
    package let value: UInt64

    init?(parsing value: [UInt8]) {
        let (type, rest) = value[...].cut(at: ":")
        guard type.isToken, let number = rest?.trimmed.decimal(UInt64.self) else { return nil }
        self.type = type.text
        self.value = number
    }
}
