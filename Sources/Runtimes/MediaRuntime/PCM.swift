import CALSA
import Glibc

/// One direction of an ALSA device: 48 kHz, 16 bits, non-blocking. For the device thread alone, as its functions may
/// block without bound in a plug-in whose sound server hangs.
struct PCM: ~Copyable {
    /// Periods that the card shall hold. Playout's are its latency; a microphone's are room for a late wake-up.
    private static func periodsInBuffer(_ direction: AudioError.Direction) -> snd_pcm_uframes_t {
        direction == .input ? 4 : 2
    }

    let handle: OpaquePointer
    let direction: AudioError.Direction
    let name: String
    let channels: Int
    /// Frames; as near to ours as the card allows.
    let period: Int
    let buffer: Int
    /// One period of all channels.
    private let interleaved: UnsafeMutableBufferPointer<Int16>
    /// What playout keeps in the card, of all channels.
    private let silence: UnsafeMutableBufferPointer<Int16>

    /// Playout keeps so many frames in the card. All of a small buffer, as a sound server that has less than it asked
    /// for is near running dry; of a large one, the period that is being played and one more.
    private let ahead: Int

    func sizes() -> (buffer: Int, ahead: Int) { (buffer, ahead) }

    init(_ name: String, _ direction: AudioError.Direction) throws(AudioError) {
        do throws(AudioError) {
            self = try PCM(opening: name, name, direction)
        } catch {
            // A card that has no mono at 48 kHz is asked again through ALSA's converters.
            guard case .refused = error else { throw error }
            self = try PCM(opening: "plug:SLAVE='\(name)'", name, direction)
        }
    }

    private init(
        opening device: String, _ name: String, _ direction: AudioError.Direction
    ) throws(AudioError) {
        let stream = direction == .input ? SND_PCM_STREAM_CAPTURE : SND_PCM_STREAM_PLAYBACK
        var opened: OpaquePointer?
        let result = snd_pcm_open(&opened, device, stream, CInt(SND_PCM_NONBLOCK))
        guard result >= 0, let handle = opened else { throw Self.error(result, name, direction) }
        let set = Self.setUp(handle, periods: Self.periodsInBuffer(direction))
        guard set.error >= 0 else {
            snd_pcm_close(handle)
            throw .refused(device: name, direction: direction, reason: Self.text(of: set.error))
        }
        (self.handle, self.direction, self.name) = (handle, direction, name)
        (channels, period, buffer) = (set.channels, set.period, set.buffer)
        interleaved = .allocate(capacity: AudioPeriod.samples * set.channels)
        interleaved.initialize(repeating: 0)
        let least = 2 * max(set.period, AudioPeriod.samples)
        ahead = set.buffer <= 2 * least ? set.buffer : least
        silence = .allocate(capacity: ahead * set.channels)
        silence.initialize(repeating: 0)
        setWakeUps()
    }

    /// May block.
    deinit {
        snd_pcm_drop(handle)
        snd_pcm_close(handle)
        interleaved.deallocate()
        silence.deallocate()
    }

    private static func setUp(
        _ handle: OpaquePointer, periods: snd_pcm_uframes_t
    ) -> (error: CInt, channels: Int, period: Int, buffer: Int) {
        var allocated: OpaquePointer?
        guard snd_pcm_hw_params_malloc(&allocated) >= 0, let parameters = allocated else { return (-ENOMEM, 0, 0, 0) }
        defer { snd_pcm_hw_params_free(parameters) }
        var channels: UInt32 = 1
        var period = snd_pcm_uframes_t(AudioPeriod.samples)
        var buffer = period * periods
        var error = snd_pcm_hw_params_any(handle, parameters)
        func then(_ step: () -> CInt) { if error >= 0 { error = step() } }
        then { snd_pcm_hw_params_set_access(handle, parameters, SND_PCM_ACCESS_RW_INTERLEAVED) }
        then { snd_pcm_hw_params_set_format(handle, parameters, SND_PCM_FORMAT_S16) }
        then { snd_pcm_hw_params_set_channels_near(handle, parameters, &channels) }
        then { snd_pcm_hw_params_set_rate(handle, parameters, 48_000, 0) }
        then { snd_pcm_hw_params_set_period_size_near(handle, parameters, &period, nil) }
        then { snd_pcm_hw_params_set_buffer_size_near(handle, parameters, &buffer) }
        then { snd_pcm_hw_params(handle, parameters) }
        then { snd_pcm_hw_params_get_period_size(parameters, &period, nil) }
        then { snd_pcm_hw_params_get_buffer_size(parameters, &buffer) }
        // Two periods are the least that playout can work with; more channels than these are no phone.
        if error >= 0 && (channels > 2 || period > 2048 || buffer < 2 * snd_pcm_uframes_t(AudioPeriod.samples)) {
            error = -EINVAL
        }
        return (error, Int(channels), Int(period), Int(buffer))
    }

    private func setWakeUps() {
        var allocated: OpaquePointer?
        guard snd_pcm_sw_params_malloc(&allocated) >= 0, let parameters = allocated else { return }
        defer { snd_pcm_sw_params_free(parameters) }
        snd_pcm_sw_params_current(handle, parameters)
        let frames = AudioPeriod.samples
        let availableToWake = direction == .input ? frames : max(frames, buffer - (ahead - frames))
        // A sound server that ran dry goes on once it has this much, and writes are whole periods: with more than one
        // it might wait for a fraction that is never written.
        snd_pcm_sw_params_set_start_threshold(handle, parameters, snd_pcm_uframes_t(frames))
        snd_pcm_sw_params_set_avail_min(handle, parameters, snd_pcm_uframes_t(availableToWake))
        snd_pcm_sw_params(handle, parameters)
    }

    // MARK: - Transfer

    /// Frames that can be read or written now.
    func available() throws(AudioError) -> Int? {
        try check(Int(snd_pcm_avail_update(handle)))
    }

    /// Reads one period. Nil where the card ran over, and was started again.
    func read(into samples: UnsafeMutableBufferPointer<Int16>) throws(AudioError) -> Int? {
        let target = channels == 1 ? samples : interleaved
        let frames = snd_pcm_readi(handle, target.baseAddress, snd_pcm_uframes_t(samples.count))
        guard let count = try check(frames) else { return nil }
        if channels == 2 {
            for index in 0..<count {
                samples[index] = Int16((Int32(interleaved[2 * index]) + Int32(interleaved[2 * index + 1])) / 2)
            }
        }
        return count
    }

    /// Writes one period. Nil where the card ran dry, and must be primed again.
    func write(_ samples: UnsafeMutableBufferPointer<Int16>) throws(AudioError) -> Int? {
        if channels == 2 {
            for index in samples.indices {
                interleaved[2 * index] = samples[index]
                interleaved[2 * index + 1] = samples[index]
            }
        }
        let source = channels == 1 ? samples : interleaved
        return try check(snd_pcm_writei(handle, source.baseAddress, snd_pcm_uframes_t(samples.count)))
    }

    func start() { snd_pcm_start(handle) }

    /// Starts playout with all the silence that it keeps ahead, in one piece: a sound server chooses its own pace by
    /// what it is given at first.
    func prime() throws(AudioError) {
        _ = try check(snd_pcm_writei(handle, silence.baseAddress, snd_pcm_uframes_t(ahead)))
        start()
    }

    /// Throws away what is not played yet, and begins anew.
    func restart() throws(AudioError) {
        snd_pcm_drop(handle)
        _ = try check(Int(snd_pcm_prepare(handle)))
        try prime()
    }

    /// Frames between the next one written and the connector.
    func delay() -> Int {
        var frames: snd_pcm_sframes_t = 0
        return snd_pcm_delay(handle, &frames) == 0 ? max(0, frames) : 0
    }

    /// Passes on a count; nil after an overrun, underrun or suspension, which it recovers from.
    private func check(_ result: Int) throws(AudioError) -> Int? {
        if result >= 0 { return result }
        let error = CInt(result)
        if error == -EAGAIN { return 0 }
        guard error == -EPIPE || error == -ESTRPIPE || error == -EINTR, snd_pcm_recover(handle, error, 1) >= 0 else {
            throw .vanished(device: name, reason: Self.text(of: error))
        }
        return nil
    }

    // MARK: - Errors

    private static func text(of error: CInt) -> String { String(cString: snd_strerror(error)) }

    private static func error(_ code: CInt, _ name: String, _ direction: AudioError.Direction) -> AudioError {
        switch -code {
        case ENOENT, ENODEV, ENXIO: .missing(device: name, direction: direction)
        case EBUSY, EAGAIN: .busy(device: name, direction: direction)
        default: .refused(device: name, direction: direction, reason: text(of: code))
        }
    }
}
