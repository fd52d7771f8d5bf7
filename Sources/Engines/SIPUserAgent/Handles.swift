import EngineKit
import SIPTransactions

/// A configured account, by its place in the configuration.
package struct AccountID: Hashable, Comparable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static func < (left: AccountID, right: AccountID) -> Bool { left.rawValue < right.rawValue }
}

/// One call, unique for the life of the core.
///
/// Whoever places a call names it by a number below 2^31 that was not used before; calls that come in are numbered by the
/// core from 2^31 upwards. So neither side has to ask the other for a number.
package struct CallHandle: Hashable, Comparable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    static let firstIncoming: UInt32 = 1 << 31

    package var isIncoming: Bool { rawValue >= Self.firstIncoming }

    package static func < (left: CallHandle, right: CallHandle) -> Bool { left.rawValue < right.rawValue }
}

/// One request that the user sent beside calls and registrations; numbered by whoever sends it, below 2^31.
package struct RequestHandle: Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }
}

/// One question to the resolver.
package struct ResolveID: Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// One of the early dialogs that an outgoing INVITE made by forking (RFC 3261 §12.1): the peer's tag.
package struct EarlyDialogID: Hashable, Sendable {
    package let remoteTag: String

    package init(remoteTag: String) {
        self.remoteTag = remoteTag
    }
}
