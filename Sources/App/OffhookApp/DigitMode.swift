import RTPMedia
import SIPMessages
import SIPUserAgent

/// How digits travel: as telephone events beside the sound (RFC 4733), in INFO requests (RFC 2976), or in the sound.
package enum DigitMode: String, CaseIterable, Sendable {
    /// As telephone events where the peer takes them, else by INFO.
    case auto
    case rtp, info, inband

    init(_ way: DigitWay) {
        switch way {
        case .event: self = .rtp
        case .sound: self = .inband
        }
    }
}

extension Call {
    /// Whether digits of this call go by INFO.
    var sendsDigitsByInfo: Bool {
        switch script?.digitMode ?? .auto {
        case .rtp, .inband: false
        case .info: true
        case .auto: agreement.map { $0.media.sendTelephoneEvent == nil } ?? false
        }
    }

    /// Whether digits are to be telephone events, and the peer takes none.
    var lacksWayForDigits: Bool {
        !sendsDigitsByInfo && script?.digitMode != .inband && agreement?.media.sendTelephoneEvent == nil
    }
}

extension SignalledStep {
    /// A digit, or `,` for a pause of 1 s. By INFO there is no media to wait for, so `w` is none.
    init?(_ character: Character) {
        if character == "," {
            self = .pause(.seconds(1))
        } else if let digit = SignalledDigit(String(character)) {
            self = .digit(digit)
        } else {
            return nil
        }
    }
}
