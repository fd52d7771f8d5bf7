import EngineKit
import SIPMessages
import SIPUserAgent

/// Whom a person means by what they typed: a URI, `user@host`, a contact's name, an address, or a number.
struct TargetResolution: Sendable {
    var contacts: [ConfiguredContact]
    /// The account whose domain completes a number.
    var account: Account?
    /// Whether a server is asked for rather than a person: then a name with a dot is a host before it is a user.
    var prefersHosts = false

    /// The URI that `text` stands for, or one sentence of why there is none.
    func uri(for text: String) -> Result<URI, Problem> {
        let text = text.trimmed
        guard !text.isEmpty else { return .failure(Problem("names nobody")) }
        if let contact = contacts.first(where: { $0.name.lowercased() == text.lowercased() }) {
            return .success(contact.address)
        }
        if Self.schemes.contains(where: { text.lowercased().hasPrefix($0) }) { return parse(text) }
        if let at = text.firstIndex(of: "@") {
            guard let colon = text[..<at].firstIndex(of: ":") else {
                return parse("sip:\(text[...at])\(Self.bracketed(text[text.index(after: at)...]))")
            }
            // `mailto:bob@example.com`, and a password that nobody should type here either.
            return .failure(
                Problem("'\(text[...colon])' begins neither a SIP nor a tel URI: sip:, sips: and tel: do"))
        }
        if Self.isAddress(text) || (prefersHosts || domain == nil) && Self.isHostName(text) {
            return parse("sip:\(Self.bracketed(text[...]))")
        }
        guard let domain else {
            return .failure(
                Problem("'\(text)' is neither a URI nor an address, and no account has a domain to complete it with"))
        }
        guard text.utf8.allSatisfy({ Self.userCharacters.contains($0) }) else {
            return .failure(Problem("'\(text)' is neither a URI nor a number"))
        }
        let user = text.filter { !" -()".contains($0) }
        return .success(.sip(SIPURI(user: user.isEmpty ? text : user, host: domain.host, port: domain.port)))
    }

    struct Problem: Error, Equatable {
        var text: String

        init(_ text: String) {
            self.text = text
        }
    }

    private static let schemes = ["sip:", "sips:", "tel:"]
    private static let userCharacters = Set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+*#-_. ()".utf8)

    private var domain: SIPURI? {
        // A peer-to-peer account without a registrar has an address of this machine.
        guard let account, account.registrar != nil || !account.isPeerToPeer,
            case .sip(let uri) = account.address.uri
        else { return nil }
        return uri
    }

    private func parse(_ text: String) -> Result<URI, Problem> {
        do {
            return .success(try URI(parsing: text))
        } catch {
            return .failure(Problem("'\(text)' is not a URI: \(error)"))
        }
    }

    /// A name of two labels or more whose last is no number: `example.com`, with parameters or without.
    private static func isHostName(_ text: String) -> Bool {
        let name = text.split(separator: ";", maxSplits: 1, omittingEmptySubsequences: false)[0]
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard labels.count > 1, let last = labels.last, last.utf8.contains(where: { $0 > 0x39 }) else { return false }
        return labels.allSatisfy { label in
            !label.isEmpty && label.first != "-" && label.last != "-"
                && label.utf8.allSatisfy { hostCharacters.contains($0) }
        }
    }

    private static let hostCharacters = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-".utf8)

    /// An IPv6 address as people write it, in the brackets that a URI wants.
    private static func bracketed(_ text: Substring) -> String {
        let place = text.prefix { $0 != ";" }
        guard place.contains(":"), IPAddress(place) != nil else { return String(text) }
        return "[\(place)]\(text[place.endIndex...])"
    }

    /// An IP address or `localhost`, with or without a port or parameters; or a name with a port.
    private static func isAddress(_ text: String) -> Bool {
        let place = text.split(separator: ";", maxSplits: 1, omittingEmptySubsequences: false)[0]
        let host = place.hasPrefix("[") && place.hasSuffix("]") ? place.dropFirst().dropLast() : place
        if IPAddress(host) != nil || SocketAddress(place) != nil { return true }
        let parts = place.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 2, UInt16(parts[1]) != nil, !parts[0].isEmpty { return true }
        return place == "localhost"
    }
}
