import AudioCodecs
import EngineKit
import Glibc
import MediaRuntime
import RTPMedia
import SDP
import SIPMessages
import SIPRuntime
import SIPUserAgent
import TerminalRuntime

/// One run of the loopback test.
struct LoopbackRun {
    private enum Phase: Equatable {
        case starting
        case calling
        /// Both hear each other; the jitter buffers settle until the instant.
        case settling(until: Instant)
        case speaking(until: Instant)
        /// Until the BYE is answered, or nobody does.
        case hangingUp(until: Instant)
        case ended
    }

    private static let settling = Duration.milliseconds(400)
    /// What the signal may take to arrive, and the buffers to drain.
    private static let tail = Duration.milliseconds(500)
    private static let goodbye = Duration.seconds(2)
    private static let longest = Duration.seconds(9)

    private let caller: Phone
    private let callee: Phone
    private let probes: (caller: AudioProbe, callee: AudioProbe)
    private let spoken: (caller: LoopbackSignal, callee: LoopbackSignal)
    private let fault: LoopbackTest.PlantedFault?
    private let audio: AudioSpec
    private let log = LoopbackLog()
    private let start = SystemClock.now
    private var phase = Phase.starting

    init(audio: String?, seed: UInt64?, fault: LoopbackTest.PlantedFault?, sipTrace: Bool) throws(StartFault) {
        var spoken = (caller: LoopbackSignal(tone: 1000), callee: LoopbackSignal(tone: 440))
        if fault == .swappedDirections { swap(&spoken.caller, &spoken.callee) }
        self.spoken = spoken
        self.fault = fault
        let hearing = Duration.seconds(6)
        probes = (
            AudioProbe(signal: spoken.caller.samples, hearing: hearing),
            AudioProbe(signal: spoken.callee.samples, hearing: hearing)
        )
        var settings = try PhoneSettings(Self.options(audio: audio ?? "null", seed: seed))
        guard settings.input.isDevice else {
            throw StartFault(
                .usage,
                "--audio: '\(settings.input)' is no device; the signal is the test's own: alsa:DEVICE or null carries it"
            )
        }
        self.audio = settings.input
        settings.probe = probes.caller
        caller = try Phone(settings, attendant: .nobody, traces: true)

        var answering = AnsweringOptions()
        answering.allow = ["loopback"]
        var other = try PhoneSettings(Self.options(audio: "null", seed: seed.map { $0 &+ 1 }), answering: answering)
        other.probe = probes.callee
        if fault == .codecMismatch { other.restrictCodecs(to: [.pcmu]) }
        let plan: AnsweringPlan
        do throws(CallScript.Fault) {
            plan = try AnsweringPlan(answering, script: CallScript(CallScriptOptions()))
        } catch {
            throw StartFault(error)
        }
        callee = try Phone(other, attendant: .plan(plan), traces: true)
        attach(sipTrace: sipTrace)
        try caller.startMedia()
        try callee.startMedia()
    }

    private static func options(audio: String, seed: UInt64?) -> PhoneOptions {
        var options = PhoneOptions()
        options.usesConfiguration = false
        options.listen = ["127.0.0.1:0"]
        options.audio = audio
        options.seed = seed
        return options
    }

    private func attach(sipTrace: Bool) {
        let log = log
        for (phone, isCaller) in [(caller, true), (callee, false)] {
            phone.onReport = { log.note($0, isCaller: isCaller) }
            phone.onMessage = { message in
                if sipTrace { ReportWriter.write(message.text, to: STDERR_FILENO) }
                if isCaller { log.note(message) }
            }
        }
    }

    mutating func run(signals: Signals?) -> (report: LoopbackReport, signal: Int32?) {
        var signal: Int32?
        let giveUpAt = start + Self.longest
        while phase != .ended, signal == nil {
            caller.step()
            callee.step()
            advance()
            while let next = signals?.next() {
                if next == .stop { Signals.stopProcess() }
                if next.endsProcess { signal = next.number }
            }
            if SystemClock.now >= giveUpAt {
                if log.problem == nil { log.problem = "the call was not over after \(Int(Self.longest.inSeconds)) s" }
                break
            }
            wait(signals: signals)
        }
        let report = report
        caller.close()
        callee.close()
        return (report, signal)
    }

    private mutating func advance() {
        let now = SystemClock.now
        if log.problem != nil { phase = .ended }
        switch phase {
        case .starting:
            guard let target = log.calleeAddress, log.callerAddress != nil else { return }
            phase = .calling
            let uri = URI.sip(SIPURI(user: "loopback", host: .address(target.address), port: target.port))
            caller.ask { $0.dial(uri, account: nil, script: nil, at: $1) }
        case .calling:
            let isHeard = [caller, callee].allSatisfy { phone in
                phone.coordinator.order.contains { phone.coordinator.calls[$0]?.hasHeardMedia == true }
            }
            if isHeard { phase = .settling(until: now + Self.settling) }
        case .settling(let until) where until <= now:
            if fault == .mutedPath { setMuted(callee, true) }
            probes.caller.start()
            probes.callee.start()
            let length = Duration.milliseconds(LoopbackSignal.length * 1000 / AudioCodec.sampleRate)
            phase = .speaking(until: now + length + Self.tail)
        case .speaking(let until):
            plantLostSecond(now: now, end: until)
            guard until <= now else { return }
            log.statistics = (statistics(of: caller), statistics(of: callee))
            phase = .hangingUp(until: now + Self.goodbye)
            caller.ask { coordinator, _ in coordinator.order.forEach { coordinator.hangUp($0) } }
        case .hangingUp(let until):
            let isOver = log.endedByCaller && log.endedAtCallee && log.isByeAnswered
            if isOver || until <= now { phase = .ended }
        case .settling, .ended: break
        }
    }

    /// Silence from one second to two seconds before the end of the tone.
    private func plantLostSecond(now: Instant, end: Instant) {
        guard fault == .lostSecond else { return }
        let rest = end - now - Self.tail
        setMuted(caller, rest > .seconds(1) && rest < .seconds(2))
    }

    private func setMuted(_ phone: Phone, _ isMuted: Bool) {
        phone.ask { coordinator, _ in coordinator.order.forEach { coordinator.setMuted($0, isMuted) } }
    }

    private func statistics(of phone: Phone) -> MediaStatistics? {
        phone.coordinator.order.first.flatMap { phone.media.statistics($0.rawValue) }
    }

    private func wait(signals: Signals?) {
        var descriptors = [
            pollfd(fd: caller.inbox.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: callee.inbox.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: signals?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&descriptors, nfds_t(descriptors.count), 10)
    }

    // MARK: - What was measured

    private var report: LoopbackReport {
        let expected = (caller: LoopbackSignal(tone: 1000), callee: LoopbackSignal(tone: 440))
        let isMeasured = log.problem == nil && log.statistics.caller != nil
        let directions =
            !isMeasured
            ? []
            : [
                direction(
                    "A → B", expected.caller, foreign: expected.callee.tone, from: probes.caller, to: probes.callee,
                    sent: log.statistics.caller, heard: log.statistics.callee, packetTime: log.packetTimes.caller),
                direction(
                    "B → A", expected.callee, foreign: expected.caller.tone, from: probes.callee, to: probes.caller,
                    sent: log.statistics.callee, heard: log.statistics.caller, packetTime: log.packetTimes.callee),
            ]
        return LoopbackReport(
            addresses: (log.callerAddress?.description ?? "?", log.calleeAddress?.description ?? "?"),
            audio: audio.description, codec: log.codec ?? "none", ladder: log.ladder, setUp: log.setUp,
            isEndedCleanly: log.isByeAnswered, directions: directions,
            elapsed: SystemClock.now - start, problem: log.problem)
    }

    private func direction(
        _ name: String, _ signal: LoopbackSignal, foreign: Double, from: AudioProbe, to: AudioProbe,
        sent: MediaStatistics?, heard: MediaStatistics?, packetTime: Int
    ) -> LoopbackReport.Direction {
        let hearing = LoopbackHearing(signal, in: to.heard, foreign: foreign) { match in
            let sample = Int(match.offset)
            guard let heard = to.heardAt(sample: sample),
                let spoken = from.spokenAt(sample: LoopbackSignal.chirpStart)
            else { return nil }
            let fraction = (match.offset - Double(sample)) / Double(AudioCodec.sampleRate)
            return heard - spoken + .nanoseconds(Int64(fraction * 1e9))
        }
        return LoopbackReport.Direction(
            name: name, signal: signal, hearing: hearing, statistics: heard ?? MediaStatistics(),
            sentPackets: sent?.sentPackets ?? 0, packetTime: packetTime,
            network: from.departures.meanTransit(to: to.arrivals),
            deviceMilliseconds: (from.captureDelay + to.playbackDelay).milliseconds)
    }
}

extension AudioSpec {
    /// Whether the test's own signal can go through it; `null` is a device of the process itself.
    fileprivate var isDevice: Bool {
        switch self {
        case .alsa, .null: true
        default: false
        }
    }
}
