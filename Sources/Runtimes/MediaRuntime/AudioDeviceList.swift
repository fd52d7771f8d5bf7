import CALSA
import Glibc

/// An ALSA device as `offhook devices` shows it.
package struct AudioDeviceDescription: Equatable, Sendable {
    /// What follows `alsa:` in an audio spec.
    package let name: String
    /// The system's words, on one line.
    package let text: String
    package let isInput: Bool
    package let isOutput: Bool
}

extension MediaEngine {
    /// The PCM devices that the system knows by name, cards and plug-ins. May take a moment: not for a hang-up.
    package static func deviceList() -> [AudioDeviceDescription] {
        calsa_silence()
        var found: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
        guard snd_device_name_hint(-1, "pcm", &found) >= 0, let hints = found else { return [] }
        defer { snd_device_name_free_hint(hints) }
        var devices: [AudioDeviceDescription] = []
        var next = hints
        while let hint = next.pointee {
            next += 1
            guard let name = text(hint, "NAME") else { continue }
            // Without a direction a device has both.
            let direction = text(hint, "IOID")
            devices.append(
                AudioDeviceDescription(
                    name: name, text: (text(hint, "DESC") ?? "").split(separator: "\n").joined(separator: ", "),
                    isInput: direction != "Output", isOutput: direction != "Input"))
        }
        return devices
    }

    private static func text(_ hint: UnsafeMutableRawPointer, _ key: String) -> String? {
        guard let value = snd_device_name_get_hint(hint, key) else { return nil }
        defer { free(value) }
        return String(cString: value)
    }
}
