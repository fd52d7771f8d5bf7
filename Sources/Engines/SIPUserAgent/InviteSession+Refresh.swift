import EngineKit
import SIPMessages

/// The session timer of a call (RFC 4028): asked for, granted, kept, and run out.
extension InviteSession {
    private var timers: SessionTimerPolicy { settings.sessionTimers }

    // MARK: - As the one who asks

    /// What a session refresh request of ours asks for (§7.1, §7.4); nil: nothing.
    private var wantedSessionExpires: SessionExpires? {
        if let sessionTimer {
            return SessionExpires(
                max(sessionTimer.interval, minimumInterval ?? SessionTimer.shortest),
                refresher: sessionTimer.isRefresher ? "uac" : "uas")
        }
        guard phase == .calling, timers.use == .wanted else { return nil }
        return SessionExpires(max(timers.interval, minimumInterval ?? 0))
    }

    mutating func setSessionTimer(in request: inout Request) {
        guard timers.use != .off else { return }
        askedInterval = wantedSessionExpires?.seconds
        if let wanted = wantedSessionExpires { request.headers.set(wanted) }
        if let minimumInterval { request.headers.set(MinSE(minimumInterval)) }
    }

    /// The 2xx to a session refresh request starts the timer anew, or ends it (§7.2).
    mutating func takeSessionTimer(from response: Response, at now: Instant) {
        guard timers.use != .off, phase == .confirmed || phase == .accepted else { return }
        modification.isRefreshDue = false
        if let granted = try? response.headers.first(SessionExpires.self) {
            startSessionTimer(granted.seconds, isRefresher: granted.refresher != "uas", at: now)
        } else if let askedInterval, !(dialog?.peerSupports(.sessionTimer) ?? false) {
            // The peer does not know of it: it is for our own benefit, and ours to keep up.
            startSessionTimer(askedInterval, isRefresher: true, at: now)
        } else {
            sessionTimer = nil
        }
    }

    /// Learns from a 422 (§7.3).
    ///
    /// - Returns: false where it asks for no more than it was given.
    mutating func raiseMinimumInterval(to response: Response) -> Bool {
        guard timers.use != .off, let least = (try? response.headers.first(MinSE.self))?.seconds,
            least > max(minimumInterval ?? 0, wantedSessionExpires?.seconds ?? 0), intervalsLeft > 0
        else { return false }
        intervalsLeft -= 1
        minimumInterval = least
        return true
    }

    // MARK: - As the one who is asked

    /// The 422 for an interval that is too short (§9). Who does not know of timers did not ask for it: a proxy did.
    func intervalRefusal(of request: Request) -> Response? {
        settings.sessionTimers.refusal(of: request)
    }

    /// Grants what a session refresh request asks for, in its 2xx (§9), and starts the timer.
    mutating func grantSessionTimer(in response: inout Response, to request: Request, at now: Instant) {
        guard timers.use != .off, phase == .confirmed || phase == .accepted else { return }
        let isKnown = request.supports(.sessionTimer)
        let least = (try? request.headers.first(MinSE.self))?.seconds
        if let least { minimumInterval = max(minimumInterval ?? 0, least) }
        let asked = try? request.headers.first(SessionExpires.self)
        let interval: UInt32
        let refresher: String
        if let asked, asked.seconds >= SessionTimer.shortest {
            interval = asked.seconds
            // Table 2 of §9: one that knows of it decides, else refreshes itself; for one that doesn't we do.
            refresher = isKnown ? asked.refresher.flatMap { ["uac", "uas"].contains($0) ? $0 : nil } ?? "uac" : "uas"
        } else if let sessionTimer {
            interval = max(sessionTimer.interval, least ?? 0)
            refresher = sessionTimer.isRefresher || !isKnown ? "uas" : "uac"
        } else if timers.use == .wanted {
            interval = max(timers.interval, least ?? 0)
            refresher = "uas"
        } else {
            return
        }
        response.headers.set(SessionExpires(interval, refresher: refresher))
        if isKnown { response.headers.append(Require([.sessionTimer])) }
        startSessionTimer(interval, isRefresher: refresher == "uas", at: now)
    }

    private mutating func startSessionTimer(_ interval: UInt32, isRefresher: Bool, at now: Instant) {
        modification.isRefreshDue = false
        sessionTimer = SessionTimer(interval: interval, isRefresher: isRefresher, at: now)
    }

    // MARK: - Time

    mutating func handleSessionTimerDeadline(at now: Instant) {
        guard let timer = sessionTimer else { return }
        if now >= timer.endsAt {
            end(CallEnd(cause: .sessionExpired, by: .local), at: now)
        } else if let due = timer.refreshAt, now >= due {
            sessionTimer?.refreshAt = nil
            modification.isRefreshDue = true
            modification.attempts = 0
            sendDueModification()
        }
    }

    /// A refresh failed: one more after half of the time that is left, down to the patience of one transaction.
    mutating func postponeRefresh(at now: Instant) {
        guard let timer = sessionTimer, timer.isRefresher else { return }
        let left = timer.endsAt - now
        if left > settings.timers.giveUp / 2 { sessionTimer?.refreshAt = now + left / 2 }
    }
}

extension SessionTimerPolicy {
    /// The 422 that a session refresh request is owed whose interval is too short (§9).
    func refusal(of request: Request) -> Response? {
        guard use != .off, request.supports(.sessionTimer),
            let asked = try? request.headers.first(SessionExpires.self), asked.seconds < minimum
        else { return nil }
        var response = request.response(422)
        response.headers.set(MinSE(minimum))
        return response
    }
}
