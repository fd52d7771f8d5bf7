import EngineKit

/// `o=`: who made the description, and which version of it this is (RFC 8866 §5.2).
///
/// The numbers stay text: RFC 8866 bounds them nowhere, and two of them are only ever compared.
package struct Origin: Hashable, Sendable {
    package let username: String
    package let sessionID: String
    package let version: String
    package let networkType: String
    package let addressType: String
    /// A host name, or an address in text.
    package let address: String

    /// The origin of a description that we make.
    package init(sessionID: UInt64, version: UInt64, address: IPAddress) {
        username = "-"
        self.sessionID = String(sessionID)
        self.version = String(version)
        networkType = "IN"
        addressType = address.sdpType
        self.address = address.description
    }

    init?(parsing value: [UInt8]) {
        let words = value[...].words
        guard words.count == 6 else { return nil }
        (username, sessionID, version) = (words[0].text, words[1].text, words[2].text)
        (networkType, addressType, address) = (words[3].text, words[4].text, words[5].text)
    }

    var line: SDPLine {
        SDPLine(.origin, "\(username) \(sessionID) \(version) \(networkType) \(addressType) \(address)")
    }
}

/// `c=`: where media is to be sent (RFC 8866 §5.7).
package struct Connection: Hashable, Sendable {
    package let networkType: String
    package let addressType: String
    /// The address without its multicast time to live and count.
    package let host: String

    package init(_ address: IPAddress) {
        networkType = "IN"
        addressType = address.sdpType
        host = address.description
    }

    init?(parsing value: [UInt8]) {
        let words = value[...].words
        guard words.count == 3, let host = words.last?.cut(at: "/").head, !host.isEmpty else { return nil }
        (networkType, addressType, self.host) = (words[0].text, words[1].text, host.text)
    }

    /// The address as a number; nil for a host name or another kind of network.
    package var address: IPAddress? {
        guard networkType.isSameToken(as: "IN"), let address = IPAddress(host) else { return nil }
        return address.unmapped
    }

    var line: SDPLine { SDPLine(.connection, "\(networkType) \(addressType) \(host)") }
}

extension IPAddress {
    /// `addrtype` of RFC 8866 §9.
    fileprivate var sdpType: String { isV4 ? "IP4" : "IP6" }
}
