import SIPMessages

/// What a fuzzer hands bytes to. Each holds what came of them against what must be true of it, so that more is found
/// than traps: `Tests/Fuzzing` drives them under libFuzzer, `Tests/FuzzTests` replays what was found.
package enum FuzzTarget: String, CaseIterable, Sendable {
    case message, stream, uri, multipart, description, negotiation, names, dialog, writing, media, redundancy, call
    case wwwAuthenticate = "www-authenticate", proxyAuthenticate = "proxy-authenticate"
    case authorization, proxyAuthorization = "proxy-authorization", authenticationInfo = "authentication-info"
    case presence, dialogInformation = "dialog-info", registrationInformation = "reginfo"
    case composing = "is-composing", messageSummary = "message-summary"

    /// Something that must hold and did not.
    package struct Fault: Error, CustomStringConvertible {
        package let description: String
    }

    package func run(_ bytes: [UInt8]) throws(Fault) {
        switch self {
        case .message: try Self.message(bytes)
        case .stream: try Self.stream(bytes)
        case .uri: try Self.uri(bytes)
        case .multipart: try Self.multipart(bytes)
        case .description: try Self.description(bytes)
        case .negotiation: try Self.negotiation(bytes)
        case .names: try Self.names(bytes)
        case .dialog: try Self.dialog(bytes)
        case .writing: try Self.writing(bytes)
        case .media: try Self.media(bytes)
        case .redundancy: try Self.redundancy(bytes)
        case .call: try Self.call(bytes)
        case .wwwAuthenticate: try Self.challenge(WWWAuthenticate.self, bytes, isProxy: false)
        case .proxyAuthenticate: try Self.challenge(ProxyAuthenticate.self, bytes, isProxy: true)
        case .authorization: try Self.field(Authorization.self, bytes)
        case .proxyAuthorization: try Self.field(ProxyAuthorization.self, bytes)
        case .authenticationInfo: try Self.field(AuthenticationInfo.self, bytes)
        case .presence: try Self.presence(bytes)
        case .dialogInformation: try Self.dialogInformation(bytes)
        case .registrationInformation: try Self.registrationInformation(bytes)
        case .composing: try Self.composing(bytes)
        case .messageSummary: try Self.messageSummary(bytes)
        }
    }

    static func check(_ holds: Bool, _ otherwise: @autoclosure () -> String) throws(Fault) {
        if !holds { throw Fault(description: otherwise()) }
    }
}
