import CALSA
import CLinux
import EngineKit
import Glibc
import Synchronization

/// The device thread's body: opens the PCMs, moves periods until it is abandoned or a PCM fails, closes.
func runALSADevice(_ link: DeviceLink, _ names: DeviceNames) {
    calsa_silence()
    runOpenDevice(link, names)
    link.isNowReleased()
}

private func runOpenDevice(_ link: DeviceLink, _ names: DeviceNames) {
    do throws(AudioError) {
        var device = try ALSADevice(link, names)
        try device.begin()
        link.isNowOpen()
        while !link.isAbandoned.load(ordering: .acquiring) { try device.turn() }
    } catch {
        link.fail(error)
    }
}

/// The PCM pair of one device thread.
private struct ALSADevice: ~Copyable {
    /// How long another program, or the phone's own last call, may still hold the card.
    private static let busyPatience = Duration.milliseconds(500)
    /// A card that plays moves many times in this.
    private static let stillness = Duration.milliseconds(100)
    /// The poll's bound, in milliseconds: plug-ins have been seen that never wake their descriptors.
    private static let turn: CInt = 10

    private let link: DeviceLink
    private let names: DeviceNames
    private var capture: PCM?
    private let playback: PCM?
    private let period: UnsafeMutableBufferPointer<Int16>
    private let descriptors: UnsafeMutableBufferPointer<pollfd>
    /// Periods that were taken from the ring and written.
    private var written = 0
    /// When the playback PCM last took a period.
    private var lastWrittenAt = Instant.zero

    init(_ link: DeviceLink, _ names: DeviceNames) throws(AudioError) {
        let playback: PCM? = if let name = names.playback { try Self.open(name, .output) } else { nil }
        self.link = link
        self.names = names
        self.playback = playback
        capture = nil
        period = .allocate(capacity: AudioPeriod.samples)
        period.initialize(repeating: 0)
        descriptors = .allocate(capacity: 16)
        descriptors.initialize(repeating: pollfd())
    }

    /// Starts what is open, and opens the microphone where that is wished.
    mutating func begin() throws(AudioError) {
        // In this order: to open a microphone may take longer than what playout has ahead.
        if link.triesCapture { try openCapture() }
        try followCaptureWish()
        try prime()
    }

    deinit {
        link.capturesNow.store(false, ordering: .releasing)
        period.deallocate()
        descriptors.deallocate()
    }

    private static func open(_ name: String, _ direction: AudioError.Direction) throws(AudioError) -> PCM {
        let giveUpAt = MonotonicClock.now + busyPatience
        while true {
            do throws(AudioError) {
                return try PCM(name, direction)
            } catch {
                guard case .busy = error, MonotonicClock.now < giveUpAt else { throw error }
                usleep(20_000)
            }
        }
    }

    /// Waits for the card or the media thread, and moves what can be moved.
    mutating func turn() throws(AudioError) {
        try followCaptureWish()
        wait()
        link.toDevice.drain()
        try moveCaptured()
        try movePlayout()
    }

    private func wait() {
        descriptors[0] = pollfd(fd: link.toDevice.descriptor, events: Int16(POLLIN), revents: 0)
        let captureCount = addDescriptors(capture, at: 1)
        // While the media thread owes periods the card stays ready: to wait for it would be to spin.
        let isPlaybackAwaited = link.demanded.load(ordering: .relaxed) <= written
        let playbackCount = isPlaybackAwaited ? addDescriptors(playback, at: 1 + captureCount) : 0
        poll(descriptors.baseAddress, nfds_t(1 + captureCount + playbackCount), Self.turn)
        acknowledge(capture, at: 1, count: captureCount)
        acknowledge(playback, at: 1 + captureCount, count: playbackCount)
    }

    private func addDescriptors(_ pcm: borrowing PCM?, at place: Int) -> Int {
        switch pcm {
        case .some(let pcm):
            guard let base = descriptors.baseAddress else { return 0 }
            let room = UInt32(descriptors.count - place)
            return Int(max(0, snd_pcm_poll_descriptors(pcm.handle, base + place, room)))
        case .none: return 0
        }
    }

    /// Lets a plug-in take back the signal that woke us. What is ready is then asked of the PCM itself.
    private func acknowledge(_ pcm: borrowing PCM?, at place: Int, count: Int) {
        switch pcm {
        case .some(let pcm):
            guard count > 0, let base = descriptors.baseAddress else { return }
            var events: UInt16 = 0
            snd_pcm_poll_descriptors_revents(pcm.handle, base + place, UInt32(count), &events)
        case .none: break
        }
    }

    // MARK: - Capture

    /// Opens the microphone when somebody is to hear it, and closes it after.
    private mutating func followCaptureWish() throws(AudioError) {
        let isWanted = link.wantsCapture.load(ordering: .acquiring)
        guard isWanted != link.capturesNow.load(ordering: .relaxed) else { return }
        if isWanted { try openCapture() } else { closeCapture() }
    }

    private mutating func openCapture() throws(AudioError) {
        guard let name = names.capture else { return }
        capture = try Self.open(name, .input)
        capture?.start()
        link.capturesNow.store(true, ordering: .releasing)
        link.toWorker.signal()
    }

    private mutating func closeCapture() {
        capture = nil
        link.capturesNow.store(false, ordering: .releasing)
        link.toWorker.signal()
    }

    private func moveCaptured() throws(AudioError) {
        var hasMoved = false
        while link.captured.space >= period.count {
            guard let available = try capture?.available() else {
                // None, or it ran over and lost what it had.
                guard link.capturesNow.load(ordering: .relaxed) else { return }
                link.overruns.wrappingAdd(1, ordering: .relaxed)
                capture?.start()
                break
            }
            guard available >= period.count, let count = try capture?.read(into: period) else { break }
            guard count == period.count else { break }
            link.captureDelay.store(available - count, ordering: .relaxed)
            link.captured.write(UnsafeBufferPointer(period))
            hasMoved = true
        }
        if hasMoved { link.toWorker.signal() }
    }

    // MARK: - Playback

    /// Gives the card silence to play while the first period is made.
    private func prime() throws(AudioError) { try playback?.prime() }

    /// Starts playout again where it has not moved for a while: a sound server that ran dry may wait for ever, and
    /// its plug-in not say so.
    private mutating func isStandingStill() throws(AudioError) -> Bool {
        let now = MonotonicClock.now
        // While the media thread owes periods the fault is not the card's.
        let isOwed = link.demanded.load(ordering: .relaxed) > written && link.playout.count < period.count
        if isOwed || lastWrittenAt == .zero { lastWrittenAt = now }
        guard now - lastWrittenAt > Self.stillness else { return false }
        lastWrittenAt = now
        link.underruns.wrappingAdd(1, ordering: .relaxed)
        try playback?.restart()
        return true
    }

    private mutating func movePlayout() throws(AudioError) {
        guard let (buffer, ahead) = playback?.sizes() else { return }
        guard let available = try playback?.available() else {
            link.underruns.wrappingAdd(1, ordering: .relaxed)
            return try prime()
        }
        if try isStandingStill() { return }
        var filled = buffer - available
        while filled + period.count <= buffer, link.playout.takePeriod(into: period) {
            guard try playback?.write(period) != nil else {
                link.underruns.wrappingAdd(1, ordering: .relaxed)
                return try prime()
            }
            written += 1
            lastWrittenAt = MonotonicClock.now
            filled += period.count
        }
        // Counted from what was written, so that what the media thread made ahead of a demand answers it.
        let wanted = written + max(0, (ahead - filled) / period.count)
        guard wanted > link.demanded.load(ordering: .relaxed) else { return }
        link.playbackDelay.store(playback?.delay() ?? 0, ordering: .relaxed)
        link.demanded.store(wanted, ordering: .releasing)
        link.toWorker.signal()
    }
}
