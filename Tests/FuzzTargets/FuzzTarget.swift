/// What a fuzzer hands bytes to. Each holds what came of them against what must be true of it, so that more is found
/// than traps: `Tests/Fuzzing` drives them under libFuzzer, `Tests/FuzzTests` replays what was found.
package enum FuzzTarget: String, CaseIterable, Sendable {
    case message, stream, uri, digest, description, negotiation, names, dialog, writing, media

    /// Something that must hold and did not.
    package struct Fault: Error, CustomStringConvertible {
        package let description: String
    }

    package func run(_ bytes: [UInt8]) throws(Fault) {
        switch self {
        case .message: try Self.message(bytes)
        case .stream: try Self.stream(bytes)
        case .uri: try Self.uri(bytes)
        case .digest: try Self.digest(bytes)
        case .description: try Self.description(bytes)
        case .negotiation: try Self.negotiation(bytes)
        case .names: try Self.names(bytes)
        case .dialog: try Self.dialog(bytes)
        case .writing: try Self.writing(bytes)
        case .media: try Self.media(bytes)
        }
    }

    static func check(_ holds: Bool, _ otherwise: @autoclosure () -> String) throws(Fault) {
        if !holds { throw Fault(description: otherwise()) }
    }
}
