import CLinux
import EngineKit
import Synchronization

extension MediaWorker {
    /// A device that gives nothing this long after its last period is lost.
    static let patience = Duration.milliseconds(500)
    /// A device that has not opened, or not moved its first period, in this time is lost. A sound server that must
    /// first be started takes a second.
    static let openingPatience = Duration.seconds(3)
    /// A period that has not come this long after the last one is bridged: twice this, and a packet of 20 ms is still
    /// sent less than 20 ms late.
    private static let lateness = Duration.milliseconds(17)

    var drivesCapture: Bool {
        guard isDeviceRunning, let link else { return false }
        return link.capturesNow.load(ordering: .acquiring)
    }

    var drivesPlayout: Bool { isDeviceRunning && link?.hasPlayback == true }

    mutating func attach(_ reference: DeviceReference, at now: Instant) {
        detach()
        // Retained by the sender until it comes back, so the reference that is let go here is never the last.
        let link = reference.link.takeUnretainedValue()
        _ = cs_epoll_add(epoll, link.toWorker.descriptor, Token.device)
        link.wantsCapture.store(callCount > 0, ordering: .releasing)
        self.link = link
        attachedAt = now
        isDeviceRunning = false
    }

    mutating func detach() {
        guard let link else { return }
        link.abandon()
        _ = cs_epoll_remove(epoll, link.toWorker.descriptor)
        self.link = nil
        isDeviceRunning = false
        report(.detached(DeviceReference(link: Unmanaged.passUnretained(link))))
    }

    /// Takes a device into use that has opened, and leaves one that failed or stalls.
    mutating func watchDevice(at now: Instant) {
        guard let link else { return }
        switch link.state {
        case .opening:
            if now - attachedAt > Self.openingPatience { lose(isSilent: true) }
        case .running where !isDeviceRunning:
            isDeviceRunning = true
            attachedAt = now
            (periodsProvided, demandSeen) = (0, 0)
            playoutClock = StreamClock(due: now + Self.lateness, lastProgress: now)
            report(.deviceOpened)
        case .running:
            let isFresh = now - attachedAt < Self.openingPatience
            let limit = isFresh ? Self.openingPatience : Self.patience
            let captureStalls = drivesCapture && now - captureClock.lastProgress > limit
            let playoutStalls = drivesPlayout && now - playoutClock.lastProgress > limit
            if captureStalls || playoutStalls { lose(isSilent: true) }
        case .failed, .closed:
            lose(isSilent: false)
        }
    }

    private mutating func lose(isSilent: Bool) {
        report(.deviceLost(isSilent: isSilent))
        detach()
    }

    /// Sends what the microphone gave. A period that does not come in time is bridged with silence, so that the
    /// stream to the peer has no gap, and left out when it comes after all.
    mutating func serveCaptured(at now: Instant) {
        guard let link else { return }
        let delay = Duration.nanoseconds(Int64(link.captureDelay.load(ordering: .relaxed)) * 1_000_000_000 / 48_000)
        while link.captured.takePeriod(into: microphone) {
            captureClock.lastProgress = now
            voice?.process(microphone, spokenAt: now - AudioPeriod.duration - delay)
            if captureClock.owed > 0 {
                // Its place was filled. The bridge goes on until the device is in time again.
                captureClock.owed -= 1
                if captureClock.owed == 0 { captureClock.due = captureClock.lastPeriod + Self.lateness }
            } else {
                capturePeriod(at: now, spokenAt: now - AudioPeriod.duration - delay)
                (captureClock.lastPeriod, captureClock.due) = (now, now + Self.lateness)
            }
        }
        while let due = captureClock.due, due <= now {
            microphone.update(repeating: 0)
            link.bridged.wrappingAdd(1, ordering: .relaxed)
            capturePeriod(at: now, spokenAt: now - AudioPeriod.duration)
            // A device that has not given anything yet owes nothing.
            if link.captured.totalWritten > 0 { captureClock.owed = min(captureClock.owed + 1, 4) }
            (captureClock.lastPeriod, captureClock.due) = (now, due + AudioPeriod.duration)
        }
    }

    /// Makes the periods that the card asks for, in the moment that it does.
    mutating func serveDemand(at now: Instant) {
        guard let link else { return }
        let demanded = link.demanded.load(ordering: .acquiring)
        let delay = Duration.nanoseconds(Int64(link.playbackDelay.load(ordering: .relaxed)) * 1_000_000_000 / 48_000)
        if demanded != demandSeen {
            demandSeen = demanded
            (playoutClock.lastProgress, playoutClock.due) = (now, now + Self.lateness)
        }
        while periodsProvided < demanded && link.playout.space >= scratch.count {
            mixPeriod(at: now, heardAt: now + delay)
            play(on: link, heardAt: now + delay)
            link.toDevice.signal()
        }
        while let due = playoutClock.due, due <= now {
            // Late: the calls play on. One period is kept for the card, the rest is nobody's.
            mixPeriod(at: now, heardAt: now + delay)
            if link.playout.count < AudioPeriod.samples {
                play(on: link, heardAt: now + delay)
            }
            playoutClock.due = due + AudioPeriod.duration
        }
    }

    /// Gives the card the period in `scratch`, behind what it has not yet taken.
    private mutating func play(on link: DeviceLink, heardAt: Instant) {
        let before = AudioPeriod.duration * link.playout.count / AudioPeriod.samples
        voice?.play(UnsafeBufferPointer(scratch).span, heardAt: heardAt + before)
        link.playout.write(UnsafeBufferPointer(scratch))
        periodsProvided += 1
    }
}
