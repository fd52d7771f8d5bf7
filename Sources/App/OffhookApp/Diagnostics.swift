import EngineKit
import Glibc
import Logging
import MediaRuntime
import RTPMedia
import SIPMessages
import SIPUserAgent
import TerminalUI

/// What the phone does inside, for whoever looks for a fault: a line each, down to `--log-level`.
///
/// Lines carry names, numbers and addresses, never headers: those may hold secrets. Strangers decide how often
/// something is refused, so of each kind one a minute is told, with the count of those that were not.
struct Diagnostics: Sendable {
    static let refusalInterval = Duration.seconds(60)

    private struct Tally: Sendable {
        var toldAt: Instant
        var untold = 0
    }

    private let logger: Logger
    private var refusals: [Refusal: Tally] = [:]

    /// - Parameter write: takes each line that is at `level` or above.
    init(_ level: Logger.Level, write: @escaping @Sendable (Logger.Level, String) -> Void) {
        var logger = Logger(label: "offhook") { _ in DiagnosticsHandler(write: write) }
        logger.logLevel = level
        self.logger = logger
    }

    /// On standard error, as the phone's own reports are.
    static func onStandardError(_ level: Logger.Level) -> Diagnostics {
        Diagnostics(level) { level, text in
            let line = "\(WallClock.now().timeOfDay)  \(level.rawValue)  \(Printable.line(text))\n"
            ReportWriter.write(line, to: STDERR_FILENO)
        }
    }

    func note(listening addresses: [Listener]) {
        for address in addresses { logger.info("sip: listening, \(address.transport.name) \(address.address)") }
    }

    mutating func note(_ event: UserAgentEvent, at now: Instant) {
        switch event {
        case .refused(let refusal, let source, let caller): note(refusal, from: source, caller: caller, at: now)
        case .peerMoved(let call, let address): logger.notice("sip: \(call.label) moved to \(address)")
        default:
            // Within the logger's closure, as spelling an event costs more than all else that is done for it.
            logger.debug("sip: \(Self.name(of: event))\(event.call.map { ", \($0.label)" } ?? "")")
        }
    }

    private static func name(of event: UserAgentEvent) -> String { String("\(event)".prefix { $0 != "(" }) }

    private mutating func note(_ refusal: Refusal, from source: SocketAddress, caller: NameAddress?, at now: Instant) {
        if let tally = refusals[refusal], now - tally.toldAt < Self.refusalInterval {
            refusals[refusal]?.untold += 1
            return logger.debug("\(refusal.sentence(source: source, caller: caller))")
        }
        let untold = refusals[refusal]?.untold ?? 0
        refusals[refusal] = Tally(toldAt: now)
        let more = untold > 0 ? " (\(untold) more of the kind since the last word)" : ""
        logger.notice("\(refusal.sentence(source: source, caller: caller))\(more)")
    }

    func note(_ notice: MediaNotice) {
        let place = notice.call.map { "media: \(CallHandle(rawValue: $0).label)" } ?? "media"
        switch notice.event {
        case .media(.sourceChanged(let source)): logger.notice("\(place) comes from \(source) now")
        case .media(.sendingPaused): logger.notice("\(place) is not sent for now: nobody seems to be there")
        case .media(.sendingResumed): logger.notice("\(place) is sent again")
        case .media(.collisionResolved(let source)): logger.notice("\(place): SSRC collision, ours is \(source) now")
        case .media(let event): logger.debug("\(place): \(event)")
        case .stopped: logger.debug("\(place) stopped")
        default: logger.debug("\(place): \(notice.event)")
        }
    }
}

/// Hands lines on; the level is the logger's own.
private struct DiagnosticsHandler: LogHandler {
    var logLevel = Logger.Level.notice
    var metadata: Logger.Metadata = [:]
    let write: @Sendable (Logger.Level, String) -> Void

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        write(event.level, "\(event.message)")
    }
}

extension CallHandle {
    /// Short, and the same for the whole process: calls that came in are counted apart from those placed.
    fileprivate var label: String { isIncoming ? "call in \(rawValue & 0x7fff_ffff)" : "call out \(rawValue)" }
}

extension UserAgentEvent {
    /// The call that it is about.
    fileprivate var call: CallHandle? {
        switch self {
        case .incomingCall(let call, _), .placed(let call, _), .offered(let call, _), .trying(let call),
            .ringing(let call, _), .earlyMedia(let call, _, _), .mediaAgreed(let call, _), .pathProven(let call),
            .answered(let call, _), .established(let call), .heldByPeer(let call), .resumedByPeer(let call),
            .modified(let call), .modifyFailed(let call, _), .peerMoved(let call, _), .digitReceived(let call, _),
            .digitSent(let call, _), .digitsRefused(let call, _, _, _), .transferProgress(let call, _),
            .transferRequested(let call, _), .transferWithdrawn(let call), .ended(let call, _):
            call
        case .registration, .registrationBound, .requestAnswered, .messageReceived, .peerComposing, .subscription,
            .notified, .publication, .warning, .refused, .shutDownFinished:
            nil
        }
    }
}

extension PhoneOptions.LogLevel {
    var loggerLevel: Logger.Level {
        switch self {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        }
    }
}

extension Logger.Level {
    /// As the log pane of the screen knows it.
    var severity: Severity {
        switch self {
        case .trace, .debug, .info, .notice: .info
        case .warning: .warning
        case .error, .critical: .failure
        }
    }
}
