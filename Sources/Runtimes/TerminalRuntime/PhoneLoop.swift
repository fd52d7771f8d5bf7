import CLinux
import EngineKit
import Glibc
import TerminalUI

/// What the loop asks of the app.
package enum PhoneRequest: Hashable, Sendable {
    case command(UserCommand)
    /// The terminal is gone. The loop goes on until ``PhoneInbox/finish()``, so that calls can be ended first.
    case terminalLost
}

/// The main thread's loop: keys, signals and events into the state, the state onto the terminal.
package struct PhoneLoop {
    private let terminal: Terminal
    private let signals: Signals
    private let inbox: PhoneInbox
    private let request: (PhoneRequest) -> Void
    private var state: AppState
    private var drawnAt: Instant?
    private var clockReadAt: Instant?
    private var isTerminalLost = false

    /// Levels move often; more pictures a second than this only cost.
    private static let drawInterval = Duration.milliseconds(33)
    private static let clockInterval = Duration.seconds(60)

    /// - Parameter signals: those that don't end the process.
    package init(
        state: AppState, terminal: Terminal, signals: Signals, inbox: PhoneInbox,
        request: @escaping (PhoneRequest) -> Void
    ) {
        self.state = state
        self.terminal = terminal
        self.signals = signals
        self.inbox = inbox
        self.request = request
    }

    /// Runs until the inbox is finished. On the main thread.
    package mutating func run() {
        takeSize()
        while true {
            let now = Self.now
            readClock(at: now)
            let wasKey = takeKeys(at: now)
            takeSignals(at: now)
            let (events, isFinished) = inbox.take()
            for event in events { state.receive(event, at: now) }
            state.handleDeadline(at: now)
            if isFinished { return }
            let isDue = drawnAt.map { now - $0 >= Self.drawInterval } ?? true
            if wasKey || isDue { draw(at: now) }
            wait(until: nextWake(after: now, isDrawn: wasKey || isDue))
        }
    }

    private static var now: Instant { Instant(nanoseconds: cs_monotonic_now()) }

    private func nextWake(after now: Instant, isDrawn: Bool) -> Instant {
        var wake = min(state.deadline(after: now), now + Self.clockInterval)
        if let deadline = terminal.keys.deadline { wake = min(wake, deadline) }
        if !isDrawn, let drawnAt { wake = min(wake, drawnAt + Self.drawInterval) }
        return wake
    }

    private func wait(until wake: Instant) {
        // Rounded up, lest the loop turn without sleep for the last millisecond.
        let milliseconds = max(0, (wake - Self.now).saturatedNanoseconds + 999_999) / 1_000_000
        var descriptors = [
            pollfd(fd: isTerminalLost ? -1 : Terminal.input, events: Int16(POLLIN), revents: 0),
            pollfd(fd: signals.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: inbox.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&descriptors, nfds_t(descriptors.count), Int32(clamping: milliseconds))
    }

    /// Whether a key was among it.
    private mutating func takeKeys(at now: Instant) -> Bool {
        guard !isTerminalLost else { return false }
        var descriptor = pollfd(fd: Terminal.input, events: Int16(POLLIN), revents: 0)
        let ready = poll(&descriptor, 1, 0)
        var wasKey = false
        while let key = terminal.keys.next(at: now) {
            wasKey = true
            perform(state.receive(key, at: now))
        }
        // Readable, and yet nothing to read: the other end is closed.
        let isClosed = descriptor.revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0
        if ready > 0, isClosed { loseTerminal() }
        return wasKey
    }

    private mutating func loseTerminal() {
        isTerminalLost = true
        request(.terminalLost)
    }

    private mutating func takeSignals(at now: Instant) {
        while let signal = signals.next() {
            switch signal {
            case .resized:
                terminal.resize()
                takeSize()
            case .continued:
                terminal.resume()
                takeSize()
                clockReadAt = nil
            case .stop: perform(state.requestSuspension(at: now))
            case .user: terminal.forget()
            // They end the process, which is not this thread's business: it may hang in a write to the terminal.
            case .interrupt, .quit, .terminate, .hangUp: break
            }
        }
    }

    private mutating func perform(_ commands: [UserCommand]) {
        for command in commands {
            switch command {
            case .redraw: terminal.forget()
            case .suspend:
                terminal.suspend()
                takeSize()
                clockReadAt = nil
            default: request(.command(command))
            }
        }
    }

    private mutating func takeSize() {
        drawnAt = nil
        let size = terminal.size
        state.resize(columns: size.columns, rows: size.rows)
    }

    private mutating func draw(at now: Instant) {
        guard !isTerminalLost else { return }
        let size = terminal.size
        var canvas = Canvas(columns: size.columns, rows: size.rows, repertoire: terminal.repertoire)
        state.draw(into: &canvas, at: now)
        terminal.draw(canvas)
        drawnAt = now
    }

    /// Tells the state the local time, again each minute, as the clock may be set meanwhile.
    private mutating func readClock(at now: Instant) {
        if let clockReadAt, now - clockReadAt < Self.clockInterval { return }
        clockReadAt = now
        let wall = cs_wall_clock_now()
        var seconds = time_t(wall / 1_000_000_000)
        var local = tm()
        guard localtime_r(&seconds, &local) != nil else { return }
        let time = TimeOfDay(
            hour: Int(local.tm_hour), minute: Int(local.tm_min), second: Int(local.tm_sec),
            millisecond: Int(wall / 1_000_000 % 1000))
        state.receive(.timeOfDay(time), at: now)
    }
}
