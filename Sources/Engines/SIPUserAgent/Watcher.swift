import EngineKit
import EventPackages
import SIPMessages
import SIPTransactions

struct WatcherID: Hashable, Comparable, Sendable {
    let rawValue: UInt64

    static func < (left: WatcherID, right: WatcherID) -> Bool { left.rawValue < right.rawValue }
}

/// What we tell of ourselves, to those who may know.
enum WatchedPackage: String, CaseIterable, Sendable {
    case presence, dialog

    var contentType: ContentType {
        switch self {
        case .presence: ContentType("application", "pidf+xml")
        case .dialog: ContentType("application", "dialog-info+xml")
        }
    }

    /// The shortest time between two NOTIFYs (RFC 3856 §6.10; RFC 4235 §3.10).
    var interval: Duration { self == .presence ? .seconds(5) : .seconds(1) }
}

/// Somebody who subscribed to us (RFC 6665 §4.2): a dialog in which NOTIFYs go, one at a time.
struct Watcher: Sendable {
    /// What a lifetime may be, in seconds.
    static let shortest: UInt32 = 60
    static let longest: UInt32 = 3600

    let id: WatcherID
    let account: Account
    /// The only call that it is told of; nil: all of its account's.
    let call: CallHandle?
    let event: EventPackage
    let package: WatchedPackage
    private(set) var dialog: Dialog
    /// Whether it is told how the dialogs are named.
    let knowsDialogs: Bool
    /// Whether its NOTIFYs go wherever it says.
    private let mayBeElsewhere: Bool
    private(set) var peer: Flow
    private(set) var expiresAt: Instant
    /// Why the next NOTIFY is the last; nil: it is not.
    private(set) var ending: String?
    private(set) var isEnded = false
    /// Whether the NOTIFY that says so has left.
    private var hasSaidGoodbye = false
    private var isOutstanding = false
    /// No NOTIFY before this: the last was just sent.
    private var notBefore: Instant
    private var owesNotify = true
    /// The next document has all dialogs: the first, and after each SUBSCRIBE.
    private var owesAll = true
    private var version: UInt32 = 0
    private var toldDialogs: [DialogInformation.Dialog] = []
    private var toldPresence: PresenceDocument?

    init(
        id: WatcherID, account: Account, call: CallHandle?, event: EventPackage, package: WatchedPackage,
        dialog: Dialog, knowsDialogs: Bool, mayBeElsewhere: Bool, over flow: Flow, expires: UInt32, at now: Instant
    ) {
        self.id = id
        self.account = account
        self.call = call
        self.event = event
        self.package = package
        self.dialog = dialog
        self.knowsDialogs = knowsDialogs
        self.mayBeElsewhere = mayBeElsewhere
        peer = flow
        expiresAt = now + .seconds(Int64(expires))
        notBefore = now
        if expires == 0 { ending = "timeout" }
    }

    var deadline: Instant? {
        isEnded || isOutstanding ? nil : owesNotify || ending != nil ? min(notBefore, expiresAt) : expiresAt
    }

    /// Where NOTIFYs go: to where it says that it is, or where it asked from. A datagram may name anybody, who would be
    /// sent many times as much, again and again.
    var nextHop: URI {
        let hop = dialog.nextHop
        guard !mayBeElsewhere, let place = hop.sipURI, (place.maddr ?? place.host).address != peer.remote.address
        else { return hop }
        var source = SIPURI(host: .address(peer.remote.address), port: peer.remote.port)
        source.transport = peer.transport
        return .sip(source)
    }

    // MARK: - What comes in

    /// A SUBSCRIBE in the dialog: a refresh, or with Expires 0 the end (§4.2.1).
    mutating func refresh(_ request: Request, expires: UInt32, over flow: Flow, at now: Instant) -> StatusCode {
        guard request.from.tag ?? "" == dialog.remoteTag, isFromWhereItAsked(flow) else { return 481 }
        guard dialog.accept(request.cSeq.number) == .inOrder else { return 500 }
        dialog.refreshTarget(from: request.headers)
        peer = flow
        expiresAt = now + .seconds(Int64(expires))
        if expires == 0 { ending = "timeout" }
        (owesNotify, owesAll, notBefore) = (true, true, now)
        return 200
    }

    /// A datagram may say that it is from anywhere: who proved nothing stays where it began, or begins anew.
    private func isFromWhereItAsked(_ flow: Flow) -> Bool {
        mayBeElsewhere || flow.transport.isReliable || flow.remote.address == peer.remote.address
    }

    /// The state may have changed.
    mutating func wake() {
        owesNotify = true
    }

    mutating func end(_ reason: String, at now: Instant) {
        guard ending == nil else { return }
        (ending, notBefore) = (reason, now)
    }

    mutating func reissued(_ request: Request) {
        while dialog.localSequence < request.cSeq.number { _ = dialog.nextSequence() }
    }

    /// A NOTIFY was answered, nil for not at all. Whoever does not take one is told no more (§4.2.2).
    mutating func answered(_ status: StatusCode?) {
        isOutstanding = false
        if hasSaidGoodbye || status?.isSuccess != true { isEnded = true }
    }

    // MARK: - NOTIFY

    /// The NOTIFY that is due, if one is.
    mutating func notification(of state: WatchedState, at now: Instant) -> Request? {
        if now >= expiresAt { end("timeout", at: now) }
        guard !isOutstanding, !isEnded, owesNotify || ending != nil, now >= notBefore else { return nil }
        owesNotify = false
        guard let body = body(of: state) else { return nil }
        isOutstanding = true
        hasSaidGoodbye = ending != nil
        notBefore = now + package.interval
        var request = dialog.request(.notify)
        request.headers.append(event)
        request.headers.append(subscriptionState(at: now))
        request.headers.append(package.contentType)
        request.body = body
        return request
    }

    private func subscriptionState(at now: Instant) -> SubscriptionState {
        if let ending { return SubscriptionState("terminated", parameters: Parameters(.field, [("reason", ending)])) }
        let left = max(0, (expiresAt - now).saturatedNanoseconds / 1_000_000_000)
        return SubscriptionState("active", parameters: Parameters(.field, [("expires", String(left))]))
    }

    /// The document; nil where it would say what the last one said.
    private mutating func body(of state: WatchedState) -> [UInt8]? {
        let isNeeded = owesAll || ending != nil
        switch package {
        case .presence:
            guard isNeeded || toldPresence != state.presence else { return nil }
            owesAll = false
            toldPresence = state.presence
            return state.presence.bytes
        case .dialog:
            let changed = isNeeded ? state.dialogs : changes(to: state.dialogs)
            guard isNeeded || !changed.isEmpty else { return nil }
            let document = DialogInformation(
                version: version, isFull: isNeeded, entity: state.presence.entity, dialogs: changed)
            version &+= 1
            owesAll = false
            toldDialogs = state.dialogs
            return document.bytes
        }
    }

    /// Dialogs that are new, other than before, or gone (RFC 4235 §3.7.1).
    private func changes(to dialogs: [DialogInformation.Dialog]) -> [DialogInformation.Dialog] {
        let gone = toldDialogs.filter { told in !dialogs.contains { $0.id == told.id } }.map { told in
            var told = told
            told.state = .terminated
            return told
        }
        return dialogs.filter { !toldDialogs.contains($0) } + gone
    }
}

/// What there is to tell of an account.
struct WatchedState: Equatable, Sendable {
    var presence: PresenceDocument
    var dialogs: [DialogInformation.Dialog]
}

/// What the user wants others to know of them.
package struct OwnPresence: Equatable, Sendable {
    package var isOpen: Bool
    package var note: String?

    package init(isOpen: Bool = true, note: String? = nil) {
        self.isOpen = isOpen
        self.note = note
    }
}
