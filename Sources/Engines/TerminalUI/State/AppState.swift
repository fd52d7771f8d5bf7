import EngineKit

/// The full-screen phone as a value: what it shows, and what keys mean right now.
///
/// Keys and the app's events go in, the person's commands come out, and ``draw(into:at:)`` makes a screen of it. It reads
/// no clock and touches no terminal.
package struct AppState: Sendable {
    package internal(set) var accounts: [AccountLine] = []
    /// In order of appearance. An ended call keeps its line for ``endedCallStays``, then moves to `pastCalls`.
    package internal(set) var calls: [CallLine] = []
    /// Newest last; at most ``maximumPastCalls``.
    package internal(set) var pastCalls: [CallLine] = []
    package internal(set) var selection: CallReference?
    package internal(set) var log = LogPane()
    package internal(set) var missedCalls = 0
    /// In the order of the address book, then as they were heard of.
    package internal(set) var contacts: [ContactLine] = []
    /// Who is writing to us right now, the latest last.
    package internal(set) var writers: [Party] = []

    /// Of the latest call.
    var lastNumber = 0
    /// What has the focus: a question before a line before a page before the phone.
    var question: Question?
    var line: LineKind?
    var page: Page?
    var dialLine = LineEditor()
    var commandLine = LineEditor()
    var callNumberLine = LineEditor()
    var transferLine = LineEditor()
    var notice: Notice?
    var completions: [String] = []
    var lastTarget: String?
    /// Whoever sent the last message.
    var lastWriter: String?
    /// The account to call from; nil: the first.
    var dialAccount: Printable?
    /// The call that a key dealt with last, lest its second press deal with the next one.
    var settled: Settled?
    /// The clock's origin as local time of day, once it is known.
    var timeOfDayAtOrigin: Int?

    static let endedCallStays = Duration.seconds(10)
    static let noticeStays = Duration.seconds(10)
    static let maximumPastCalls = 50
    static let maximumCalls = 200
    static let maximumAccounts = 64
    static let maximumWriters = 16

    /// The size of the screen, which says how far a page scrolls.
    var columns = 80
    var rows = 24

    package init() {}

    /// The screen has another size.
    package mutating func resize(columns: Int, rows: Int) {
        self.columns = columns
        self.rows = rows
        let last = lastPageOffset
        if let offset = page?.offset { page?.offset = min(offset, last) }
    }

    struct Settled: Hashable, Sendable {
        var action: Action
        var call: CallReference
        /// When the key was pressed, or the call gone.
        var at: Instant
    }

    enum Question: Hashable, Sendable {
        case quit, hangUpAll
    }

    enum LineKind: Hashable, Sendable {
        case dial, command
        /// The number after `@`.
        case callNumber
        /// Whom the peer of that call is to call.
        case transfer(CallReference)
        /// There is no call to transfer. The call may have ended a moment before the key, so whom the person types next is
        /// taken and goes nowhere, lest it be dialled.
        case noTransfer
    }

    struct Page: Hashable, Sendable {
        enum Subject: Hashable, Sendable {
            case help, calls, contacts, registrations
            case status(CallReference)
            case ladder(CallReference)
        }
        var subject: Subject
        /// Lines scrolled away at the top.
        var offset = 0
    }

    /// A sentence on the dial line's row, until the next key or for ``noticeStays``.
    struct Notice: Hashable, Sendable {
        var text: Printable
        var severity: Severity
        var until: Instant
    }
}

/// An account as the header and the list of registrations show it.
package struct AccountLine: Hashable, Sendable {
    package var name: Printable
    package var address: Printable
    package var state: RegistrationState
    package var since: Instant
    /// New messages that a server keeps for it.
    package var messagesWaiting = 0
}

extension AppState {
    package var selectedCall: CallLine? {
        calls.first { $0.reference == selection }
    }

    package var liveCalls: [CallLine] {
        calls.filter(\.isLive)
    }

    /// The calls whose peers hear the microphone now.
    var hearingCalls: [CallLine] {
        calls.filter { $0.isTalking && !$0.isMuted && !$0.isToBeHeld && !$0.isHangingUp }
    }

    /// The calls that ring here, those that the person let be left out; the first is in the box.
    package var ringingCalls: [CallLine] {
        calls.filter { $0.state == .incoming(isSilenced: false) && !$0.isHangingUp }
    }

    /// The call whose peer asks us to call somebody; none while a call rings, which is dealt with first.
    package var transferringCall: CallLine? {
        ringingCalls.isEmpty ? calls.first { $0.requestedTransfer != nil } : nil
    }

    /// A call of now or before.
    func call(_ reference: CallReference) -> CallLine? {
        calls.first { $0.reference == reference } ?? pastCalls.last { $0.reference == reference }
    }

    mutating func update(_ reference: CallReference, _ body: (inout CallLine) -> Void) {
        guard let index = calls.firstIndex(where: { $0.reference == reference }) else { return }
        body(&calls[index])
    }

    /// The local time of day at an instant.
    func timeOfDay(at instant: Instant) -> TimeOfDay? {
        guard let timeOfDayAtOrigin else { return nil }
        return TimeOfDay(milliseconds: Int(instant.nanoseconds / 1_000_000) &+ timeOfDayAtOrigin)
    }

    /// Shows a sentence at once, without a line in the log.
    mutating func show(_ text: Printable, _ severity: Severity = .info, at now: Instant) {
        notice = Notice(text: text, severity: severity, until: now + Self.noticeStays)
    }

    mutating func record(_ severity: Severity, _ source: LogSource, _ text: Printable, at now: Instant) {
        let line = LogPane.Line(
            time: timeOfDay(at: now), source: word(for: source, severity), severity: severity, text: text)
        log.append(line)
    }

    /// What a line of the log is about, in one or two words.
    func word(for source: LogSource, _ severity: Severity) -> String {
        switch source {
        case .account(let name), .other(let name): return name.text
        case .call(let reference): return call(reference).map { "call \($0.number)" } ?? "call"
        case .phone:
            switch severity {
            case .info: return "phone"
            case .warning: return "warning"
            case .failure: return "failed"
            }
        }
    }
}
