import AudioCodecs
import EngineKit
import MediaRuntime
import SDP
import SIPRuntime
import VoiceProcessing

/// What was written on the command line, read, or told what is wrong with it.
extension PhoneSettings {
    static func impairment(_ text: String?) throws(StartFault) -> NetworkImpairment? {
        guard let text else { return nil }
        do throws(ImpairmentFault) {
            return try NetworkImpairment(argument: text)
        } catch {
            throw StartFault(.usage, "--impair: \(error)")
        }
    }

    static func codecs(_ list: String?) throws(StartFault) -> [CodecKind]? {
        guard let list else { return nil }
        var codecs: [CodecKind] = []
        for name in list.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmed) {
            guard let codec = CodecKind.allCases.first(where: { $0.configurationName == name.lowercased() }) else {
                let known = CodecKind.allCases.map(\.configurationName)
                let hint = nearestWord(to: name, among: known).map { "; did you mean '\($0)'?" } ?? ""
                throw StartFault(
                    .usage, "--codec: '\(name)' is none of \(known.joined(separator: ", "))\(hint)")
            }
            if !codecs.contains(codec) { codecs.append(codec) }
        }
        return codecs
    }

    static func opus(_ text: String?) throws(StartFault) -> OpusSettings? {
        guard let text else { return nil }
        do throws(OpusSettingsFault) {
            return try OpusSettings(argument: text)
        } catch {
            throw StartFault(.usage, "--opus: \(error)")
        }
    }

    /// What a packet may hold (RFC 7587 §6.1), in milliseconds.
    static let packetTimes = 3...120

    static func packetTime(_ milliseconds: Int?) throws(StartFault) -> Int? {
        guard let milliseconds else { return nil }
        guard packetTimes.contains(milliseconds) else {
            throw StartFault(
                .usage,
                "--ptime: \(milliseconds) is not between \(packetTimes.lowerBound) and \(packetTimes.upperBound)")
        }
        return milliseconds
    }

    static func ports(_ text: String?) throws(StartFault) -> PortRange? {
        guard let text else { return nil }
        guard let range = PortRange(text) else {
            throw StartFault(.usage, "--rtp-ports: '\(text)' is not LOW-HIGH with room for an even port and the next")
        }
        return range
    }

    static func listenAddresses(_ texts: [String]) throws(StartFault) -> [ListenAddress] {
        var addresses: [ListenAddress] = []
        for text in texts {
            guard let address = ListenAddress(text) else {
                throw StartFault(.usage, "--listen: '\(text)' is not ADDRESS:PORT[;transport=udp|tcp]")
            }
            let isTaken = addresses.contains { other in
                other.address == address.address && address.transports.contains(where: other.transports.contains)
            }
            guard address.address.port == 0 || !isTaken else {
                throw StartFault(.usage, "--listen: '\(text)' stands there twice")
            }
            addresses.append(address)
        }
        return addresses
    }

    static func audio(
        _ options: PhoneOptions, _ configured: AudioSettings
    ) throws(StartFault) -> (input: AudioSpec, output: AudioSpec, ring: AudioSpec?) {
        func spec(_ text: String, _ option: String) throws(StartFault) -> AudioSpec {
            do {
                return try AudioSpec(parsing: text)
            } catch {
                throw StartFault(.usage, "\(option): \(error.description)")
            }
        }
        var input = configured.input ?? .alsa("default")
        var output = configured.output ?? .alsa("default")
        if let both = options.audio { (input, output) = try spec(both, "--audio").bothDirections }
        if let text = options.input { input = try spec(text, "--input") }
        if let text = options.output { output = try spec(text, "--output") }
        guard output.isOutput else {
            throw StartFault(.usage, "--output: '\(output)' gives audio and takes none")
        }
        return (input, output, configured.ring)
    }

    static func voiceProcessing(
        _ options: PhoneOptions, input: AudioSpec
    ) throws(StartFault) -> VoiceFeatures? {
        guard let list = options.voiceProcessing else { return nil }
        if list == "none" { return [] }
        var features: VoiceFeatures = []
        for name in list.split(separator: ",", omittingEmptySubsequences: false).map(\.trimmed) {
            guard let feature = VoiceFeatures(word: name) else {
                let known = VoiceFeatures.words.map(\.word)
                let hint = nearestWord(to: name, among: known).map { "; did you mean '\($0)'?" } ?? ""
                throw StartFault(
                    .usage, "--voice-processing: '\(name)' is none of \(known.joined(separator: ", "))\(hint)")
            }
            features.insert(feature)
        }
        guard case .alsa = input else {
            throw StartFault(.usage, "--voice-processing: '\(input)' is not a microphone")
        }
        return features
    }
}
