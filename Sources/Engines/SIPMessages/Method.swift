/// The method of a request (RFC 3261 §7.1 and the RFCs that added methods). Methods are case-sensitive.
package enum Method: Hashable, Sendable {
    case invite, ack, bye, cancel, options, register
    case prack, update, info, refer, subscribe, notify, publish, message
    /// A method that we have no name for.
    case other(String)

    /// The methods that have a case of their own.
    package static let known: [Method] = [
        .invite, .ack, .bye, .cancel, .options, .register, .prack, .update, .info, .refer, .subscribe, .notify,
        .publish, .message,
    ]

    package init(_ name: String) {
        self = Method.known.first { $0.name == name } ?? .other(name)
    }

    package var name: String {
        switch self {
        case .invite: "INVITE"
        case .ack: "ACK"
        case .bye: "BYE"
        case .cancel: "CANCEL"
        case .options: "OPTIONS"
        case .register: "REGISTER"
        case .prack: "PRACK"
        case .update: "UPDATE"
        case .info: "INFO"
        case .refer: "REFER"
        case .subscribe: "SUBSCRIBE"
        case .notify: "NOTIFY"
        case .publish: "PUBLISH"
        case .message: "MESSAGE"
        case .other(let name): name
        }
    }

    /// Whether the method has a case of its own.
    package var isKnown: Bool {
        if case .other = self { false } else { true }
    }

    /// A method is a token of at most 64 octets.
    init(parsing cursor: inout FieldCursor) throws(FieldFault) {
        let range = try cursor.tokenRange()
        if range.count > Int(cursor.limits.method) { throw FieldFault(.tooLong(.method), at: range.lowerBound) }
        switch range.count {
        case 3 where cursor.isExactly(range, "ACK"): self = .ack
        case 3 where cursor.isExactly(range, "BYE"): self = .bye
        case 6 where cursor.isExactly(range, "INVITE"): self = .invite
        case 6 where cursor.isExactly(range, "CANCEL"): self = .cancel
        case 7 where cursor.isExactly(range, "OPTIONS"): self = .options
        case 8 where cursor.isExactly(range, "REGISTER"): self = .register
        default: self = Method(cursor.text(range))
        }
    }
}

extension Method: CustomStringConvertible {
    package var description: String { name }
}
