import SIPMessages
import SIPUserAgent

/// How a transfer stands: the members of `call.transfer`.
struct TransferReport: Equatable, Sendable {
    enum Role: String, Sendable {
        /// We asked the peer to call somebody else.
        case transferor
        /// The peer asked us.
        case transferee
    }

    enum State: String, Sendable {
        /// The request is on its way, or has come in.
        case requested
        /// The one who was asked does it.
        case accepted
        /// A provisional response of the target.
        case progress
        case succeeded
        /// Refused by who was asked or by the target; the call goes on.
        case failed
        /// We said no.
        case declined
        /// Nobody said anything in time.
        case withdrawn
        /// The peer does it and does not tell how it goes.
        case unknown
    }

    var role: Role
    var state: State
    var target: String
    var targetName: String?
    var code: StatusCode?
    var reason: String?
    /// The transferee's new call.
    var newCall: String?
    /// Who asks for it, as it says itself.
    var referredBy: String?
}

extension TransferReport {
    var members: [JSON.Member] {
        var members = [
            JSON.Member("role", .string(role.rawValue)), .init("state", .string(state.rawValue)),
            .init("target", .string(target)),
        ]
        if let code { members.append(.init("code", .integer(code.value))) }
        if let reason { members.append(.init("reason", .string(reason))) }
        if let newCall { members.append(.init("to_call", .string(newCall))) }
        if let referredBy { members.append(.init("referred_by", .string(referredBy))) }
        return members
    }

    var text: String {
        let outcome = "\(code.map { ": \($0.value)" } ?? "")\(reason.map { code == nil ? ": \($0)" : " \($0)" } ?? "")"
        switch (role, state) {
        case (.transferor, .requested): return "transferring the peer to \(target)"
        case (.transferor, .accepted): return "the peer takes the transfer to \(target)"
        case (.transferor, .succeeded): return "the peer is with \(target)"
        case (.transferor, .unknown): return "nothing more is heard of the transfer to \(target)"
        case (.transferee, .requested):
            return "the peer wants us to call \(target)\(referredBy.map { ", as \($0)" } ?? "")"
        case (.transferee, .accepted): return "calling \(target) in the peer's place\(newCall.map { " (\($0))" } ?? "")"
        case (_, .progress): return "transfer to \(target)\(outcome)"
        case (_, .failed): return "transfer to \(target) failed\(outcome)"
        case (_, .declined): return "transfer to \(target) declined"
        case (_, .withdrawn): return "transfer to \(target): nobody decided in time"
        case (.transferee, .succeeded), (.transferee, .unknown): return "transfer to \(target)\(outcome)"
        }
    }
}
