import EngineKit
import Synchronization

/// The ALSA devices that the options name; at least one.
struct DeviceNames: Equatable, Sendable, CustomStringConvertible {
    let capture: String?
    let playback: String?

    init?(input: AudioSpec, output: AudioSpec) {
        if case .alsa(let name) = input { capture = name } else { capture = nil }
        if case .alsa(let name) = output { playback = name } else { playback = nil }
        if capture == nil && playback == nil { return nil }
    }

    var description: String {
        switch (capture, playback) {
        case (let capture?, let playback?): capture == playback ? capture : "\(capture) and \(playback)"
        case (let name?, nil), (nil, let name?): name
        case (nil, nil): "none"
        }
    }
}

extension MediaEngine {
    /// How long devices stay open after the last call: another may follow at once, and opening may be heard.
    static let deviceLinger = Duration.seconds(2)
    /// How long `start` waits for devices to open, in milliseconds.
    private static let openingPatience: CInt = 3000

    /// Opens the devices, microphone included, and says why that fails.
    func tryDevices() throws(AudioError) {
        let link: DeviceLink?
        do throws(SystemError) { link = try openDevices(triesCapture: true) } catch { throw .system(error) }
        guard let link else { return }
        let isAnswered = link.opened.wait(milliseconds: Self.openingPatience)
        if !isAnswered { throw .blocked(device: link.name) }
        if let error = link.error { throw error }
    }

    /// Has the devices open, unless they are, for a call or a tone; says so where that fails.
    func needDevices() {
        do throws(SystemError) {
            try openDevices(triesCapture: false)
        } catch {
            notice(nil, .deviceLost(.system(error)))
        }
    }

    @discardableResult
    private func openDevices(triesCapture: Bool) throws(SystemError) -> DeviceLink? {
        guard let devices else { return nil }
        let link = try state.withLock { state throws(SystemError) -> DeviceLink? in
            guard !state.isShutDown, state.link == nil else { return nil }
            let link = try DeviceLink(
                name: devices.description, triesCapture: triesCapture, playback: devices.playback != nil)
            state.link = link
            return link
        }
        guard let link else { return nil }
        do throws(SystemError) {
            try startDeviceThread(link, devices)
        } catch {
            link.fail(.system(error))
        }
        state.withLock { _ in send(.attach(DeviceReference(link: .passRetained(link)))) }
        return link
    }

    func closeDevices() {
        state.withLock { state in
            guard state.link != nil, state.calls.isEmpty, state.tones.isEmpty else { return }
            state.link = nil
            send(.detach)
        }
    }

    private func startDeviceThread(_ link: DeviceLink, _ devices: DeviceNames) throws(SystemError) {
        let isRealtime = options.isRealtime
        try RealtimeThread.start("offhook-device", priority: isRealtime ? .device : .normal) {
            runALSADevice(link, devices)
        }
    }

    func deviceWasLost(isSilent: Bool) {
        let link = state.withLock { state -> DeviceLink? in
            defer { state.link = nil }
            return state.link
        }
        guard let link else { return }
        notice(nil, .deviceLost(link.error ?? .blocked(device: link.name)))
    }
}
