import Glibc
import MediaRuntime
import Synchronization
import TerminalRuntime
import TerminalUI

/// `offhook`: the full-screen phone. The screen has the main thread; the phone has one of its own, and the two talk
/// through their inboxes.
package enum TerminalPhone {
    package static func run(_ options: PhoneOptions) -> ExitStatus {
        do throws(StartFault) {
            let ends = try start { () throws(TerminalError) in try Signals(.ends) }
            let signals = try start { () throws(TerminalError) in try Signals(.others) }
            let settings: PhoneSettings
            do throws(StartFault) {
                settings = try PhoneSettings(options)
            } catch {
                // The wait for a password is given up for a signal.
                if let signal = ends.nextEnd { return .signal(signal.number) }
                throw error
            }
            let screen = try start { () throws(TerminalError) in try PhoneInbox() }
            let phone = try Phone(settings, attendant: .person(settings.answerPolicies), traces: true)
            phone.diagnostics = Diagnostics(settings.logLevel) { level, text in
                // Cause and cure have a line each, as one alone has not the room for both.
                for sentence in text.split(separator: ". ") {
                    screen.post(.log(level.severity, .phone, Printable(String(sentence))))
                }
            }
            let bridge = ScreenBridge(phone, screen: screen)
            try phone.startMedia()
            let terminal = try start { () throws(TerminalError) in try Terminal() }
            bridge.begin()
            let result = run(phone, on: screen, until: ends)
            let inbox = phone.inbox
            var loop = PhoneLoop(state: AppState(), terminal: terminal, signals: signals, inbox: screen) { request in
                inbox.post(.request(request))
            }
            loop.run()
            terminal.close()
            return result.wait()
        } catch {
            ReportWriter.write(error.line, to: STDERR_FILENO)
            return error.exit
        }
    }

    private static func start<Value>(_ body: () throws(TerminalError) -> Value) throws(StartFault) -> Value {
        do throws(TerminalError) {
            return try body()
        } catch {
            throw StartFault(.usage, "\(error)")
        }
    }

    /// Runs the phone on a thread of its own; the screen's loop ends with it.
    private static func run(_ phone: Phone, on screen: PhoneInbox, until ends: Signals) -> ThreadResult {
        let result = ThreadResult()
        // The thread that starts it lets go of the phone here: from now on one thread alone touches it.
        nonisolated(unsafe) let phone = phone
        do throws(SystemError) {
            _ = try RealtimeThread.start("offhook-phone", priority: .normal) {
                result.set(phone.run(signals: ends))
                screen.finish()
                freeMainThread()
            }
        } catch {
            result.set(.internalError)
            screen.finish()
        }
        return result
    }

    /// Until the process has ended: a terminal that takes nothing, as of a session that has stalled, would else hold the
    /// main thread in its write for ever.
    private static func freeMainThread() {
        while true {
            poll(nil, 0, 1000)
            Terminal.discardOutput()
        }
    }
}

/// The exit status that the phone's thread leaves for the main one.
private final class ThreadResult: Sendable {
    private let status = Mutex<ExitStatus?>(nil)

    func set(_ status: ExitStatus) {
        self.status.withLock { $0 = status }
    }

    /// To be called after the screen's loop has ended, which happens after `set`.
    func wait() -> ExitStatus {
        status.withLock { $0 } ?? .internalError
    }
}
