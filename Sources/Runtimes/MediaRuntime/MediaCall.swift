import EngineKit
import RTPMedia

/// One call on the media thread: its `MediaSession`, its sockets, and what is sent and kept beside the talk.
///
/// Made and destroyed off the media thread; in between nothing here allocates or frees.
struct MediaCall: ~Copyable {
    /// What goes out.
    enum Source {
        case microphone
        case silence
        case tone(SineSource)
        case file(PlayedFile)
        case echo
    }

    let id: UInt32
    let ports: MediaPorts
    var session: MediaSession
    /// A bad network that its packets have to pass, on purpose.
    let network: UnsafeMutablePointer<ImpairedNetwork>?
    var isMuted = false
    /// Calls of one number hear each other; nil: this one is in none.
    private(set) var conference: UInt32?
    /// What the peer said and the others of the conference were not sent yet: they are sent it on the capture clock.
    private let unheard: SampleRing
    /// The period of it that they are sent now.
    let said: UnsafeMutableBufferPointer<Int16>

    /// What goes out once the path stands; what goes out now; and what will after the file.
    private let planned: Source?
    private var source: Source
    var waitsForCue: Bool
    private let afterwards: PlaySpec.Afterwards
    /// Capture periods since ours may go out.
    private var periodsReady = 0
    private(set) var hasHeardPeer = false

    /// What was received and not sent back yet.
    private let echo: SampleRing?
    /// What was sent and not recorded yet: recordings run on the playout clock.
    private let sent: SampleRing?
    let recording: WrittenFile?
    private let stereo: UnsafeMutableBufferPointer<Int16>
    /// False while the peer has neither said where it is nor been heard: ringing is not recorded.
    private var hasBegunRecording = false

    private var listener: Listener
    var digits = DigitQueue()
    /// Playout periods, for what is done every so often.
    var periodsPlayed = 0

    /// How long after the first packet of ours the play starts where nothing comes from the peer.
    private static let pathPatience = 50

    init(
        id: UInt32, ports: MediaPorts, session: consuming MediaSession, planned: Source?,
        waitsForCue: Bool, afterwards: PlaySpec.Afterwards, echoes: Bool, recording: WrittenFile?,
        listening: Listening = Listening(), impairment: NetworkImpairment? = nil
    ) {
        self.id = id
        network = impairment.map {
            let network = UnsafeMutablePointer<ImpairedNetwork>.allocate(capacity: 1)
            network.initialize(to: ImpairedNetwork($0, number: id))
            return network
        }
        self.ports = ports
        self.session = session
        self.planned = planned
        self.waitsForCue = waitsForCue
        self.afterwards = afterwards
        self.recording = recording
        listener = Listener(listening)
        source = echoes ? .echo : planned == nil ? .microphone : .silence
        echo = echoes ? SampleRing(samples: 4 * AudioPeriod.samples) : nil
        sent = recording == nil ? nil : SampleRing(samples: 4 * AudioPeriod.samples)
        stereo = .allocate(capacity: 2 * AudioPeriod.samples)
        stereo.initialize(repeating: 0)
        unheard = SampleRing(samples: 4 * AudioPeriod.samples)
        said = .allocate(capacity: AudioPeriod.samples)
        said.initialize(repeating: 0)
    }

    deinit {
        network?.deinitialize(count: 1)
        network?.deallocate()
        stereo.deallocate()
        said.deallocate()
    }

    // MARK: - Sending

    /// What capture made happen.
    enum PlayProgress {
        case none, started, finished
    }

    /// Sends one period: the microphone's, or what stands in its place, and with it what the others of the conference
    /// said. `scratch` is overwritten.
    mutating func capture(
        _ microphone: UnsafeMutableBufferPointer<Int16>, others: UnsafeMutableBufferPointer<Int16>?,
        scratch: UnsafeMutableBufferPointer<Int16>, at now: Instant
    ) -> PlayProgress {
        var progress = startPlayIfReady()
        var period = scratch
        switch source {
        case .microphone: period = microphone
        case .silence: scratch.update(repeating: 0)
        case .tone(var sine):
            sine.fill(scratch)
            source = .tone(sine)
        case .file(let file):
            // Asked before the ring is: what the file thread puts in before it says so is then seen.
            let isEnded = file.isEnded.load(ordering: .acquiring)
            let count = file.samples.read(into: scratch)
            scratch[count...].update(repeating: 0)
            if count == 0 && isEnded {
                progress = .finished
                source = afterwards == .live ? .microphone : .silence
                if afterwards == .live { period = microphone }
            }
        case .echo:
            if echo?.takePeriod(into: scratch) != true { scratch.update(repeating: 0) }
        }
        if isMuted {
            // The stream goes on with silence in it, so that nobody takes the call for dead.
            scratch.update(repeating: 0)
            period = scratch
        }
        if let others {
            for index in 0..<min(period.count, scratch.count, others.count) {
                scratch[index] = Int16(clamping: Int32(period[index]) + Int32(others[index]))
            }
            period = scratch
        }
        if session.hasDigitsToSound {
            if period.baseAddress != scratch.baseAddress { _ = scratch.update(fromContentsOf: period) }
            var span = scratch.mutableSpan
            session.soundDigits(in: &span)
            period = scratch
        }
        session.capture(UnsafeBufferPointer(period).span, at: now)
        if let sent, hasBegunRecording { sent.write(UnsafeBufferPointer(period)) }
        return progress
    }

    private mutating func startPlayIfReady() -> PlayProgress {
        guard let planned, !waitsForCue, periodsReady <= Self.pathPatience else { return .none }
        let configuration = session.configuration
        guard configuration.sends, configuration.isPathProven, configuration.remoteRTP != nil else { return .none }
        periodsReady += 1
        guard hasHeardPeer || periodsReady > Self.pathPatience else { return .none }
        periodsReady = Self.pathPatience + 1
        source = planned
        return .started
    }

    // MARK: - Hearing

    /// Gives one period of what is heard, and keeps it where that is wished.
    mutating func playout(into period: UnsafeMutableBufferPointer<Int16>, at now: Instant) {
        var span = period.mutableSpan
        session.playout(into: &span, at: now)
        periodsPlayed &+= 1
        // A peer that does not hear us plays music for who waits.
        if conference != nil, session.configuration.sends { unheard.write(UnsafeBufferPointer(period)) }
        echo?.write(UnsafeBufferPointer(period))
        listener.hear(period)
        if !hasBegunRecording { hasBegunRecording = session.configuration.remoteRTP != nil || hasHeardPeer }
        if let recording, let sent, hasBegunRecording { record(period, into: recording, beside: sent) }
    }

    /// What was listened for and has been heard.
    mutating func nextHeard() -> HeardSound? { listener.next() }

    /// Left what was sent, right what was heard, or both in one. Two clocks differ: a period of silence is put in, or one
    /// of sound left out, where the sent side has drifted that far.
    private func record(
        _ heard: UnsafeMutableBufferPointer<Int16>, into file: WrittenFile, beside sent: SampleRing
    ) {
        if sent.count > 3 * AudioPeriod.samples { sent.drop(AudioPeriod.samples) }
        let left = UnsafeMutableBufferPointer(rebasing: stereo[AudioPeriod.samples...])
        if !sent.takePeriod(into: left) { left.update(repeating: 0) }
        // In place from the front: pair n is written to 2n and 2n+1, and left n is read from 480+n, never overtaken.
        for index in 0..<AudioPeriod.samples {
            if file.channels == 2 {
                stereo[2 * index] = left[index]
                stereo[2 * index + 1] = heard[index]
            } else {
                stereo[index] = Int16(clamping: Int32(left[index]) + Int32(heard[index]))
            }
        }
        let recorded = UnsafeBufferPointer(rebasing: stereo[..<(AudioPeriod.samples * file.channels)])
        if file.samples.space >= recorded.count { file.samples.write(recorded) }
    }

    // MARK: - Conference

    mutating func enter(conference: UInt32?) {
        self.conference = conference
        unheard.drop(unheard.count)
        said.update(repeating: 0)
    }

    /// Leaves the next period of what the peer said in `said`. Two clocks differ: a period of silence is put in, or one
    /// of sound left out, where playout has drifted that far from capture.
    func takeSaid() {
        guard conference != nil else { return }
        if unheard.count > 3 * AudioPeriod.samples { unheard.drop(AudioPeriod.samples) }
        if !unheard.takePeriod(into: said) { said.update(repeating: 0) }
    }

    // MARK: - Events

    mutating func note(_ event: MediaEvent) {
        switch event {
        case .firstPacketPlayed: hasHeardPeer = true
        case .digitSent: digits.digitWasSent()
        default: break
        }
    }
}
