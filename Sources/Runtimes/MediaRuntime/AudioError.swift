/// Why audio can't come from or go to where it was asked for. The description is for the person at the phone.
package enum AudioError: Error, Equatable, CustomStringConvertible {
    package enum Direction: String, Sendable {
        case input, output
    }

    /// The system knows no device of that name, or it was unplugged.
    case missing(device: String, direction: Direction)
    /// Another program has the device.
    case busy(device: String, direction: Direction)
    /// The device is there, and refused: the system's reason.
    case refused(device: String, direction: Direction, reason: String)
    /// The device did not open, or made no progress, for as long as a call can wait.
    case blocked(device: String)
    /// The device was there and went away.
    case vanished(device: String, reason: String)
    /// A file can't be read or written.
    case file(path: String, reason: String)
    /// A spec that can only give audio was named as output.
    case notAnOutput(AudioSpec)
    /// `echo` is a way of treating a whole call: it can't be one direction's device.
    case echoAlone
    /// The system gave no thread, socket or descriptor.
    case system(SystemError)

    package var description: String {
        switch self {
        case .missing(let device, let direction): "audio \(direction.rawValue) '\(device)': no such device"
        case .busy(let device, let direction):
            "audio \(direction.rawValue) '\(device)': in use by another program"
        case .refused(let device, let direction, let reason):
            "audio \(direction.rawValue) '\(device)': \(reason)"
        case .blocked(let device): "audio device '\(device)': does not respond"
        case .vanished(let device, let reason): "audio device '\(device)': went away (\(reason))"
        case .file(let path, let reason): "audio file '\(path)': \(reason)"
        case .notAnOutput(let spec): "audio '\(spec)': gives audio, and can't be an output"
        case .echoAlone: "audio 'echo': must be input and output"
        case .system(let error): "audio: \(error)"
        }
    }
}
