import EngineKit
import SIPMessages
import SIPTransactions

/// Leaving: every call and registration is ended within two seconds (ROBUSTNESS row 9), the last words included.
extension UserAgentCore {
    /// The last BYE goes out after 1.5 s.
    static let grace = Duration.milliseconds(1700)
    private static let lastWords = Duration.milliseconds(200)

    enum ShutDown: Equatable, Sendable {
        case no
        /// CANCEL, BYE and REGISTER are on their way.
        case asked
        /// The grace is over: what waited for an ACK goes out, and nothing more is waited for.
        case lastWords
        case finished
    }

    mutating func beginShutDown(at now: Instant) {
        guard shutDown == .no else { return }
        shutDown = .asked
        deadlines.set(.shutDown, at: now + Self.grace)
        for handle in sessions.keys.sorted() { update(handle, at: now) { $0.leave(at: now) } }
        for handle in subscriptions.keys.sorted() { unsubscribe(handle, at: now) }
        for id in watchers.keys.sorted() {
            // We may be back: whoever wants to know asks again by and by (RFC 6665 §4.1.3).
            watchers[id]?.end("probation", at: now)
            notify(id, at: now)
        }
        for id in publications.keys.sorted() { publish(nil, of: id, at: now) }
        // Who is still being looked for is not registered with any more.
        registrarQuestions = [:]
        for account in configuration.accounts where isRegistering(account.id) {
            unregister(account.id, at: now)
        }
    }

    mutating func shutDownDeadline(at now: Instant) {
        switch shutDown {
        case .asked:
            shutDown = .lastWords
            deadlines.set(.shutDown, at: now + Self.lastWords)
            for handle in sessions.keys.sorted() { update(handle, at: now) { $0.stopWaiting() } }
        case .lastWords:
            finishShutDown(at: now)
        case .no, .finished:
            break
        }
    }

    /// Finishes as soon as nothing is left to say.
    mutating func checkShutDown(at now: Instant) {
        switch shutDown {
        case .asked:
            // An accepted INVITE still waits for other forks; whether a call is over, the call knows.
            let isQuiet =
                outbound.values.allSatisfy { $0.owner.call != nil }
                && subscriptions.values.allSatisfy { $0.phase != .leaving }
            // Nobody else would repeat a refusal that was lost.
            let isHeard = sessions.values.allSatisfy(\.isSettled) && !transactions.awaitsAcknowledgement
            if isQuiet && isHeard { finishShutDown(at: now) }
        case .lastWords:
            let isSaid = outbound.values.allSatisfy { $0.transaction != nil }
            if isSaid, sessions.values.allSatisfy({ !$0.isHangingUp }) { finishShutDown(at: now) }
        case .no, .finished:
            break
        }
    }

    private mutating func finishShutDown(at now: Instant) {
        shutDown = .finished
        deadlines.cancel(.shutDown)
        for handle in sessions.keys.sorted() { update(handle, at: now) { $0.hangUpDecided("no answer in time") } }
        for id in registrations.keys.sorted() { step(id, at: now) { $0.leaveUnanswered(at: now) } }
        emit(.shutDownFinished)
    }
}

extension InviteSession {
    /// The phone is being switched off.
    mutating func leave(at now: Instant) {
        if phase == .alerting { refuse(480, reason: nil, headers: Headers()) }
        withdrawReferral(at: now)
        end(CallEnd(cause: .shutDown, by: .local), at: now)
    }

    /// Whether the peer knows that the call is over, as far as we can know, and what became of the call that it asked for.
    var isSettled: Bool {
        phase == .ended && outstandingByes == 0 && !owesBye && !(invitation?.isPending ?? false)
            && !(receivedReferral?.owesResult ?? false)
    }
}
