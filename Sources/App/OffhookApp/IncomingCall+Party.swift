import SIPMessages
import SIPUserAgent

extension IncomingCall {
    /// Who calls, as a person is told: by the word of the registrar where it gives it, else by the caller's own.
    var remoteParty: NameAddress { information.assertedIdentity ?? from }

    /// Who sent the call on, and for whom it was first, in words; nothing where nobody says so.
    var forwarding: String? {
        if let diversion = information.diversions.first {
            return "forwarded by \(diversion.uri)" + (diversion.reason.map { " (\($0))" } ?? "")
        }
        // The last entry is ourselves.
        guard information.history.count > 1, let first = information.history.first else { return nil }
        return "first for \(first.uri)"
    }
}
