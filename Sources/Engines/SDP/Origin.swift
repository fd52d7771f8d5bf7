import EngineKit

/// `o=`: who made the description, and which version of it this is (RFC 8866 §5.2).
///
/// The numbers stay text: RFC 8866 bounds them nowhere, and two of them are only ever compared.
package struct Origin: Sendable {
    /// The value of the line: six words.
    let value: ArraySlice<UInt8>

    package var username: String { value.word(0).text }
    package var sessionID: String { value.word(1).text }
    package var version: String { value.word(2).text }
    package var networkType: String { value.word(3).text }
    package var addressType: String { value.word(4).text }
    /// A host name, or an address in text.
    package var address: String { value.word(5).text }
}

extension Origin {
    init?(parsing value: ArraySlice<UInt8>) {
        guard value.wordCount == 6 else { return nil }
        self.init(value: value)
    }
}

extension Origin: Hashable {
    /// Word for word, however many blanks are between.
    package static func == (left: Origin, right: Origin) -> Bool {
        left.value == right.value || left.value.words == right.value.words
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(value.words)
    }
}

/// `c=`: where media is to be sent (RFC 8866 §5.7).
package struct Connection: Sendable {
    /// The value of the line: three words.
    let value: ArraySlice<UInt8>

    package var networkType: String { value.word(0).text }
    package var addressType: String { value.word(1).text }
    /// The address without its multicast time to live and count.
    package var host: String { hostText.text }

    private var hostText: ArraySlice<UInt8> { value.word(2).cut(at: UInt8(ascii: "/")).head }

    /// The address as a number; nil for a host name or another kind of network.
    package var address: IPAddress? {
        guard value.word(0).isSameToken(as: "IN"), let address = IPAddress(text: hostText) else { return nil }
        return address.unmapped
    }

    /// Whether the address is one of IPv4; nil for a host name.
    var isLiteralV4: Bool? { IPAddress(text: hostText)?.isV4 }
}

extension Connection {
    package init(_ address: IPAddress) {
        var value: [UInt8] = []
        value.reserveCapacity(24)
        value += (address.isV4 ? "IN IP4 " : "IN IP6 ").utf8
        value += address.description.utf8
        self.init(value: value[...])
    }

    init?(parsing value: ArraySlice<UInt8>) {
        guard value.wordCount == 3, value.word(2).first != UInt8(ascii: "/") else { return nil }
        self.init(value: value)
    }
}

extension Connection: Hashable {
    package static func == (left: Connection, right: Connection) -> Bool {
        left.value == right.value
            || left.value.word(0) == right.value.word(0) && left.value.word(1) == right.value.word(1)
                && left.hostText == right.hostText
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(hostText)
    }
}
