import RTPMedia
import Synchronization

extension MediaEngine {
    /// Has a tone without end heard, from its beginning.
    package func startTone(_ tone: LocalTone) {
        let signal: Tone
        switch tone {
        case .ringing: signal = .ring
        case .ringback: signal = .ringback
        case .callWaiting: signal = .callWaiting
        case .busy: signal = .busy
        case .key: return
        }
        let isNew = state.withLock { state in
            guard state.isStarted, !state.isShutDown, state.tones.insert(tone).inserted else { return false }
            send(.tone(tone, ToneGenerator(signal)))
            return true
        }
        if isNew { needDevices() }
    }

    package func stopTone(_ tone: LocalTone) {
        state.withLock { state in
            guard state.tones.remove(tone) != nil, !state.isShutDown else { return }
            send(.tone(tone, nil))
        }
    }

    /// Has a pressed key heard here for 100 ms; the peer hears nothing of it.
    package func soundKey(_ digit: DTMFDigit) {
        state.withLock { state in
            guard state.isStarted, !state.isShutDown else { return }
            send(.tone(.key, ToneGenerator(.dtmf(digit, duration: .milliseconds(100)))))
        }
    }
}
