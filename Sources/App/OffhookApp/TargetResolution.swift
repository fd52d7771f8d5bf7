import EngineKit
import SIPMessages
import SIPUserAgent

/// Whom a person means by what they typed: a URI, `user@host`, a contact's name, an address, or a number.
struct TargetResolution: Sendable {
    var contacts: [ConfiguredContact]
    /// The account whose domain completes a number.
    var account: Account?

    /// The URI that `text` stands for, or one sentence of why there is none.
    func uri(for text: String) -> Result<URI, Problem> {
        let text = text.trimmed
        guard !text.isEmpty else { return .failure(Problem("names nobody")) }
        if let contact = contacts.first(where: { $0.name.lowercased() == text.lowercased() }) {
            return .success(contact.address)
        }
        if Self.schemes.contains(where: { text.lowercased().hasPrefix($0) }) { return parse(text) }
        if text.contains("@") { return parse("sip:\(text)") }
        if Self.isAddress(text) { return parse("sip:\(text)") }
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
        guard let account, !account.isPeerToPeer, case .sip(let uri) = account.address.uri else { return nil }
        return uri
    }

    private func parse(_ text: String) -> Result<URI, Problem> {
        do {
            return .success(try URI(parsing: text))
        } catch {
            return .failure(Problem("'\(text)' is not a URI: \(error)"))
        }
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
