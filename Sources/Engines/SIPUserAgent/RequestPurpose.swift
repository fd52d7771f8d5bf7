import SIPMessages

/// What a request of a call is for, and which of the call's dialogs it belongs to.
struct RequestPurpose: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case invite
        case reinvite
        case update
        case bye
        case prack
        /// An INFO with a digit.
        case digit
        /// A request of the user's.
        case request(RequestHandle)
        /// The ACK of a 2xx to the INVITE with that CSeq number.
        case acknowledgement(of: UInt32)
        case refer
        /// Of the subscription that the peer's REFER made.
        case notify
        /// Of the subscription that our REFER made.
        case subscribe
    }

    let kind: Kind
    /// The peer's tag in the dialog; nil for what makes one: the INVITE, and a REFER beside the call's.
    let remoteTag: String?

    static let invite = RequestPurpose(kind: .invite, remoteTag: nil)

    static func within(_ remoteTag: String, _ kind: Kind) -> RequestPurpose {
        RequestPurpose(kind: kind, remoteTag: remoteTag)
    }

    /// Of a request in the dialog that its To names; that of an RFC 2543 peer has no tag there, and an empty one here.
    static func within(dialogOf request: Request, _ kind: Kind) -> RequestPurpose {
        .within(request.to.tag ?? "", kind)
    }
}
