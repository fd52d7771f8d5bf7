import EngineKit
import Glibc
import MediaRuntime
import SIPMessages
import SIPRuntime
import SIPUserAgent
import TerminalRuntime

/// The commands that run without a screen: one purpose, reports on the way, an exit status at the end.
package enum ScriptedPhone {
    /// `offhook call TARGET`
    package static func call(_ target: String, script: CallScriptOptions, _ options: PhoneOptions) -> ExitStatus {
        run(options) { signals, start throws(StartFault) in
            let settings = try PhoneSettings(options.unattended, using: .chosen)
            let uri = try resolve(target, settings)
            let script = try passing(on: script, checked(script), settings)
            let phone = try Phone(settings, attendant: .nobody, traces: options.sipTrace)
            attach(phone, options, start: start)
            phone.ask { coordinator, _ in
                coordinator.endsWithLastCall = true
                coordinator.unmet = CallCoordinator.Unmet(exit: .noAnswer, cause: "nobody was called")
            }
            phone.whenListening { phone in
                phone.ask { coordinator, now in
                    coordinator.unmet = nil
                    coordinator.dial(uri, account: settings.account, script: script, at: now)
                }
            }
            try phone.startMedia()
            return phone.run(signals: signals)
        }
    }

    /// `offhook answer`
    package static func answer(
        _ answering: AnsweringOptions, script: CallScriptOptions, _ options: PhoneOptions
    ) -> ExitStatus {
        run(options) { signals, start throws(StartFault) in
            let settings = try PhoneSettings(options.unattended, answering: answering)
            let script = try checked(script)
            var plan: AnsweringPlan
            do throws(CallScript.Fault) {
                plan = try AnsweringPlan(answering, script: script)
            } catch {
                throw StartFault(error)
            }
            if let target = answering.redirect {
                plan.redirect(to: try resolve(target, settings, option: "--redirect", goesAsItIs: true))
            }
            let phone = try Phone(settings, attendant: .plan(plan), traces: options.sipTrace)
            attach(phone, options, start: start)
            if answering.allowAny {
                phone.onReport(.warning("everybody who reaches this phone is answered, and hears what it sends"))
            }
            phone.openAccounts(StandingSubscriptions(publishers: settings.publishers))
            try phone.startMedia()
            return phone.run(signals: signals)
        }
    }

    /// `offhook register`
    package static func register(keep: Bool, _ options: PhoneOptions) -> ExitStatus {
        run(options) { signals, start throws(StartFault) in
            let settings = try PhoneSettings(options.silent, using: .registering)
            let accounts = settings.userAgent.accounts.filter {
                $0.id == settings.account ?? $0.id && $0.registrar != nil
            }
            guard !accounts.isEmpty else {
                throw StartFault(.configuration, "no account has a registrar; write one into the configuration")
            }
            let phone = try Phone(settings, attendant: .nobody, traces: options.sipTrace)
            attach(phone, options, start: start)
            if !keep {
                let report = phone.onReport
                phone.onReport = { report($0.withoutRetry) }
            }
            var waiting = Set(accounts.map(\.id))
            phone.onEvent = { [unowned phone] event in
                guard case .registration(let account, let state) = event else { return }
                switch state {
                case .registered:
                    guard waiting.remove(account) != nil, waiting.isEmpty else { return }
                    phone.ask { coordinator, _ in
                        coordinator.unmet = nil
                        if !keep { coordinator.end() }
                    }
                case .failed(let status, let reason, let retryAfter):
                    let exit = ExitStatus(failedRegistration: status)
                    let answer = [status.map { "\($0.value)" } ?? "", reason]
                    let words = answer.filter { !$0.isEmpty }.joined(separator: " ")
                    phone.ask { coordinator, _ in
                        let cause = "\(coordinator.accountName(account)): registration failed: \(words)"
                        if retryAfter == nil || !keep {
                            coordinator.end(exit, because: cause)
                        } else if waiting.contains(account) {
                            coordinator.unmet = CallCoordinator.Unmet(exit: exit, cause: cause)
                        }
                    }
                default: break
                }
            }
            phone.ask { coordinator, _ in coordinator.unmet = CallCoordinator.Unmet(exit: .network) }
            phone.whenListening { phone in
                for account in accounts { phone.perform(.register(account.id)) }
            }
            return phone.run(signals: signals)
        }
    }

    /// `offhook options TARGET`
    package static func options(_ target: String, expectedStatus: Int?, _ options: PhoneOptions) -> ExitStatus {
        request(BareRequest(method: "OPTIONS"), to: target, expectedStatus: expectedStatus, options)
    }

    /// `offhook message TARGET [TEXT]` and `offhook request METHOD TARGET [BODY]`
    package static func request(
        _ request: BareRequest, to target: String, expectedStatus: Int?, _ options: PhoneOptions
    ) -> ExitStatus {
        run(options) { signals, start throws(StartFault) in
            let settings = try PhoneSettings(options.silent, using: .chosen)
            if let expectedStatus, !(200...699).contains(expectedStatus) {
                throw StartFault(.usage, "--expect-status: \(expectedStatus) is no final status (200 to 699)")
            }
            let uri = try resolve(
                target, settings, for: request.method, prefersHosts: request.method == "OPTIONS")
            let outgoing = try request.outgoing(account: settings.account, to: uri)
            let phone = try Phone(settings, attendant: .nobody, traces: options.sipTrace)
            attach(phone, options, start: start)
            phone.onEvent = { [unowned phone] event in
                guard case .requestAnswered(_, let answer) = event else { return }
                phone.onReport(.answered(target: uri.shownText, answer))
                let exit = ExitStatus(answer: answer, expected: expectedStatus)
                let cause = answer.status.map { "\($0.value) \(answer.reason)" } ?? answer.reason
                let wanted = expectedStatus.map { ", expected \($0)" } ?? ""
                phone.ask { coordinator, _ in coordinator.end(exit, because: "\(answer.method.name): \(cause)\(wanted)")
                }
            }
            phone.ask { coordinator, _ in coordinator.unmet = CallCoordinator.Unmet(exit: .network) }
            phone.whenListening { $0.perform(.request(RequestHandle(rawValue: 1), outgoing)) }
            return phone.run(signals: signals)
        }
    }

    /// `offhook subscribe EVENT TARGET`
    package static func subscribe(
        _ event: String, to target: String, expires: UInt32, _ options: PhoneOptions
    ) -> ExitStatus {
        run(options) { signals, start throws(StartFault) in
            let settings = try PhoneSettings(options.silent, using: .chosen)
            guard ConfiguredSubscription.events.contains(event) else {
                let known = ConfiguredSubscription.events.joined(separator: ", ")
                throw StartFault(.usage, "'\(event)' is none of the event packages \(known)")
            }
            let uri = try resolve(target, settings, for: "SUBSCRIBE")
            let order = OutgoingSubscription(
                account: settings.account, target: uri, event: EventPackage(event), expires: expires)
            let phone = try Phone(settings, attendant: .nobody, traces: options.sipTrace)
            attach(phone, options, start: start)
            phone.onEvent = { [unowned phone] event in
                switch event {
                case .subscription(_, .waiting(let status?, let reason, _)) where phone.coordinator.unmet != nil:
                    let exit = ExitStatus(endOfSubscription: status, reason: reason, isTold: false)
                    let cause = "subscription: \(status.value) \(reason)"
                    phone.ask { coordinator, _ in
                        coordinator.unmet = CallCoordinator.Unmet(exit: exit, cause: cause)
                    }
                case .notified: phone.ask { coordinator, _ in coordinator.unmet = nil }
                case .subscription(_, .ended(let status, let reason)):
                    let isTold = phone.coordinator.unmet == nil
                    let exit = ExitStatus(endOfSubscription: status, reason: reason, isTold: isTold)
                    let cause = "subscription ended: \(reason)"
                    // Where we end it, what ended us tells.
                    phone.ask { coordinator, _ in
                        if coordinator.ending == nil { coordinator.end(exit, because: cause) }
                    }
                default: break
                }
            }
            phone.ask { coordinator, _ in
                coordinator.unmet = CallCoordinator.Unmet(exit: .network, cause: "no NOTIFY came")
            }
            phone.whenListening { phone in
                phone.ask { coordinator, _ in
                    coordinator.subscribe(.subscribe(SubscriptionHandle(rawValue: 1), order))
                }
            }
            return phone.run(signals: signals)
        }
    }

    // MARK: - Shared

    /// Blocks signals before the first thread starts, and says what kept a command from starting.
    private static func run(
        _ options: PhoneOptions, _ body: (Signals, Instant) throws(StartFault) -> ExitStatus
    ) -> ExitStatus {
        let start = SystemClock.now
        do throws(StartFault) {
            let signals: Signals
            do {
                signals = try Signals()
            } catch {
                throw StartFault(.internalError, "\(error)")
            }
            do throws(StartFault) {
                return try body(signals, start)
            } catch {
                // What was waited for may have been given up for a signal.
                if let signal = signals.nextEnd { return .signal(signal.number) }
                throw error
            }
        } catch {
            ReportWriter.write(error.line, to: STDERR_FILENO)
            return error.exit
        }
    }

    private static func checked(_ options: CallScriptOptions) throws(StartFault) -> CallScript {
        let script: CallScript
        do throws(CallScript.Fault) {
            script = try CallScript(options)
        } catch {
            throw StartFault(error)
        }
        // A file that can't serve is found out before somebody's phone rings for nothing.
        do throws(AudioError) {
            try script.play?.checkReadable()
        } catch {
            throw StartFault(error.exit, "\(error)")
        }
        do throws(AudioError) {
            if let path = script.recordPath { try AudioSpec.file(path).checkWritable() }
        } catch {
            throw StartFault(.resultsLost, "--record: \(error)")
        }
        if let path = script.recordPath, let play = script.play, play.isSameFile(as: .file(path)) {
            throw StartFault(.usage, "--record: '\(path)' is what --play plays")
        }
        return script
    }

    /// Whom the script's call is passed on to.
    private static func passing(
        on options: CallScriptOptions, _ script: CallScript, _ settings: PhoneSettings
    ) throws(StartFault) -> CallScript {
        var script = script
        if let target = options.referTo {
            script.transfer = .blind(try resolve(target, settings, option: "--refer-to", goesAsItIs: true))
        } else if let target = options.attended {
            script.transfer = .attended(try resolve(target, settings, option: "--attended"))
        }
        return script
    }

    /// - Parameter goesAsItIs: it is told to somebody else, whole, and no request of ours goes there.
    private static func resolve(
        _ target: String, _ settings: PhoneSettings, option: String = "target", for method: String = "INVITE",
        prefersHosts: Bool = false, goesAsItIs: Bool = false
    ) throws(StartFault) -> URI {
        let account = settings.userAgent.accounts.first { $0.id == settings.account ?? $0.id }
        let resolution = TargetResolution(contacts: settings.contacts, account: account, prefersHosts: prefersHosts)
        switch resolution.uri(for: target) {
        case .success(let uri) where goesAsItIs: return uri
        case .success(let uri):
            // Whoever writes them means them (RFC 3261 §19.1.5), and a call without them is another call.
            if uri.sipURI?.headers.isEmpty == false {
                throw StartFault(.usage, "\(option): the headers behind '?' are not sent: --header sends some")
            }
            if let wanted = uri.sipURI?.parameters["method"], wanted != method {
                throw StartFault(.usage, "\(option): the address is for \(wanted), and this is \(method)")
            }
            return uri
        case .failure(let problem): throw StartFault(.usage, "\(option): \(problem.text)")
        }
    }

    /// Reports go where the options say, SIP messages to standard error.
    private static func attach(_ phone: Phone, _ options: PhoneOptions, start: Instant) {
        let usesStandardOutput = phone.settings.output == .standardStreams
        let writer = ReportWriter(isJSON: options.json, standardOutputIsAudio: usesStandardOutput, start: start)
        phone.onReport = { writer.write($0, at: SystemClock.now, wallClock: .now()) }
        phone.onMessage = { ReportWriter.write($0.text, to: STDERR_FILENO) }
    }
}

extension ExitStatus {
    /// What a registration that failed comes to; nothing received is the network's fault.
    init(failedRegistration status: StatusCode?) {
        switch status?.value {
        case nil: self = .network
        case 401, 407: self = .authenticationFailed
        default: self = .registrationFailed
        }
    }

    /// What a bare request came to: its final response decides, unless a certain one was expected.
    init(answer: RequestAnswer, expected: Int?) {
        guard let status = answer.status else {
            self = answer.isTooLong ? .badInput : .network
            return
        }
        if let expected {
            self = status.value == expected ? .success : .expectationFailed
        } else {
            self = ExitStatus(finalResponse: status)
        }
    }
}

extension ExitStatus {
    /// What the end of a subscription comes to; the reasons are those of RFC 6665 §4.1.3.
    init(endOfSubscription status: StatusCode?, reason: String, isTold: Bool) {
        switch (status, reason) {
        case (let status?, _): self = ExitStatus(finalResponse: status)
        case (nil, "rejected"): self = .declined
        case (nil, "noresource"): self = .notFound
        default: self = isTold ? .success : .network
        }
    }
}

extension PhoneOptions {
    /// The same where nobody is there to be asked.
    fileprivate var unattended: PhoneOptions {
        var options = self
        options.isAttended = false
        return options
    }

    /// The same without sound, for commands that make no calls.
    fileprivate var silent: PhoneOptions {
        var options = self
        options.audio = "null"
        options.input = nil
        options.output = nil
        return options
    }
}
