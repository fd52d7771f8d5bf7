import DequeModule
import EngineKit
import SIPMessages

/// The dialogs of calls that ended a short while ago and of which nothing else is left. An INVITE may still name them: it
/// is to be declined, so that nobody is rung for a call that is over (RFC 3891 §3, RFC 3911 §4).
struct EndedDialogs: Sendable {
    /// How many are remembered; the oldest gives way.
    static let limit = 64

    private struct Entry: Sendable {
        let key: UserAgentCore.CallKey
        let peerTag: String
        let until: Instant
    }

    /// In the order of their end, and so of their time.
    private var entries: Deque<Entry> = []

    /// - Parameters:
    ///   - key: by what the call was found.
    ///   - peerTag: the peer's tag of its dialog.
    mutating func remember(_ key: UserAgentCore.CallKey, peerTag: String, until: Instant, at now: Instant) {
        while let oldest = entries.first, oldest.until <= now || entries.count >= Self.limit { entries.removeFirst() }
        entries.append(Entry(key: key, peerTag: peerTag, until: until))
    }

    /// Whether a Replaces or Join names one of them exactly.
    func contains<Name>(_ field: DialogField<Name>, at now: Instant) -> Bool {
        let key = UserAgentCore.CallKey(callID: field.callID, localTag: field.ownTag)
        return entries.contains { $0.key == key && field.namesPeer($0.peerTag) && now < $0.until }
    }
}

extension DialogField {
    /// Whether it names a dialog with that tag of the peer. Zero stands for none, as RFC 2543 had it (RFC 3891 §6.1).
    func namesPeer(_ tag: String) -> Bool {
        peerTag == tag || (peerTag == "0" && tag.isEmpty)
    }
}
