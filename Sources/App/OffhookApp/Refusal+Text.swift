import EngineKit
import SIPMessages
import SIPUserAgent
import TerminalUI

/// Why something was refused, for a person.
extension Refusal {
    /// What was refused, of whom and why, and what can be done about it. A long name is cut, lest it take the cause's room.
    func sentence(source: SocketAddress, caller: NameAddress?) -> String {
        let name = caller.map { CellText.cut(Party.withoutScheme($0.uri.shownText), to: 28) }
        let what = name.map { "a call of \($0)" } ?? "something"
        return "\(what) from \(source) was refused: \(cause). \(cure)"
    }

    private var cause: String {
        switch self {
        case .malformed: "it was no SIP message"
        case .invalid: "the request breaks a rule of SIP"
        case .unknownDialog: "it speaks of a call that is not here, or no longer"
        case .unsupportedMethod: "requests of its kind are not taken here"
        case .unsupportedExtension: "one side requires an extension the other lacks"
        case .merged: "the same request had come another way already"
        case .loop: "our own request came back to us"
        case .forbidden: "nobody here may be reached so by this caller"
        case .sourceRate: "more requests come than the limits let in"
        case .messageRate: "more messages come than the limits let in"
        case .pendingInvites: "too many of its calls wait for an answer"
        case .ringingCalls: "as many calls ring here as may"
        case .calls: "as many calls are here as may be"
        case .dialogs: "there is no room for another call or subscription"
        case .transactions: "too many requests are being answered at once"
        case .strayResponse: "it answers nothing that we asked"
        case .strayAcknowledgement: "it acknowledges nothing that we answered"
        case .challenged: "the caller was asked to prove who it is"
        case .wrongCredentials: "its username or password is wrong"
        case .shuttingDown: "the phone is being ended"
        case .expired: "its invitation was over as it came (Expires: 0)"
        case .incompatibleMedia: "it offers no codec that is taken here"
        }
    }

    private var cure: String {
        switch self {
        case .malformed, .strayResponse, .strayAcknowledgement:
            "It is late or a scan, and can be left alone."
        case .invalid: "Its sender is at fault; another version of it may do better."
        case .unknownDialog, .merged: "Nothing need be done."
        case .unsupportedMethod: "Switch it off at the sender, if it comes again and again."
        case .unsupportedExtension: "Make it optional at the sender; for PRACK see reliable_provisionals."
        case .loop: "Check whether the number is this phone's own, and the way of the proxy."
        case .forbidden: "If the caller is wanted, add its address to sources of the account, or a [[caller]]."
        case .sourceRate, .messageRate:
            "If the sender is wanted, add its address to sources of the account, or set limits = \"trusted\"."
        case .pendingInvites: "Answer or refuse one of them; for a gateway set limits = \"trusted\"."
        case .ringingCalls: "Answer or refuse one of them."
        case .calls: "Hang up one of them, or raise max_calls."
        case .dialogs: "Hang up a call."
        case .transactions: "The sender tries again by itself."
        case .challenged: "Only if it goes no further, check the password on its side."
        case .wrongCredentials: "Check those of the caller and of [[caller]]."
        case .shuttingDown: "Call again when it runs."
        case .expired: "The caller is to give us time to answer."
        case .incompatibleMedia: "Choose a codec that both sides have; see --codec."
        }
    }
}
