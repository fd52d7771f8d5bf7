import EngineKit
import RTPMedia
import SDP
import SIPMessages
import SIPUserAgent

/// The reports as lines for a person. What came from the wire in them is filtered by whoever prints it.
extension PhoneReport {
    var text: String {
        switch self {
        case .ready(let addresses):
            "ready    " + addresses.map { "\($0.transport.name.lowercased()) \($0.address)" }.joined(separator: ", ")
        case .registration(let account, let state, _): "\(account)  " + state.text
        case .call(let call, let occurrence): "\(call.shortName)  " + occurrence.text(peer: call.peer)
        case .answered(let target, let answer): answer.text(target: target)
        case .message(let account, let message):
            "\(account)  message from \(message.from.uri): \(message.text)"
        case .composing(let account, let news): "\(account)  \(news.text)"
        case .subscription(let account, let identity, let status):
            "\(account)  \(identity.event) of \(identity.target): \(status.text)"
        case .publication(let account, let status): "\(account)  \(status.text)"
        case .notified(let account, let notification): "\(account)  \(notification.target): \(notification.text)"
        case .audioDevice(let name, let state, let detail):
            "audio    \(name): \(state)\(detail.isEmpty ? "" : ", " + detail)"
        case .warning(let text): "warning  \(text)"
        case .loopback(let report): report.text(isUnicode: Locale.isUnicode)
        case .verdict(let failed, let exit):
            exit == .success
                ? "done" : "failed   " + (failed + ["exit status \(exit.code)"]).joined(separator: "; ")
        }
    }
}

extension RegistrationState {
    var text: String {
        switch self {
        case .registering: "registering"
        case .registered(let expires): "registered for \(expires) s"
        case .unregistered: "not registered"
        case .unregistering: "unregistering"
        case .failed(let status, let reason, let retryAfter):
            "registration failed: \(status.map { "\($0.value) " } ?? "")\(reason)"
                + (retryAfter.map { "; again in \(JSON.fixed($0.inSeconds, places: 0) ?? "?") s" } ?? "")
        }
    }
}

extension CallOccurrence {
    func text(peer: String) -> String {
        switch self {
        case .outgoing: "calling \(peer)"
        case .incoming(let call, let replaces, let joins):
            "call from \(peer), source \(call.flow.remote)"
                + (call.forwarding.map { ", \($0)" } ?? "")
                + (call.provenCaller.map { ", authenticated as \($0)" } ?? "")
                + (replaces.map { ", in place of \($0)" } ?? "") + (joins.map { ", to join \($0)" } ?? "")
        case .trying: "trying"
        case .ringing(let progress): "\(progress.status.value) \(progress.reason)"
        case .early: "early media"
        case .answered(let status, let reason): "answered: \(status.value) \(reason)"
        case .media(let agreement): "media: " + agreement.text
        case .held(let side): side == .local ? "held by us" : "held by the peer"
        case .resumed(let side): side == .local ? "resumed by us" : "resumed by the peer"
        case .modifyFailed(let status):
            "\(Self.modifyFailure(status)); the call goes on"
        case .peerMoved(let address): "requests of the peer now come from \(address)"
        case .digitsRefused(let digit, let status, let reason):
            "digit \(digit) was not taken by INFO: \(status.map { "\($0.value) " } ?? "")\(reason); those behind it were not sent"
        case .digit(let digit, let isSent, _, let milliseconds):
            "digit \(digit) \(isSent ? "sent" : "received")\(milliseconds.map { ", \($0) ms" } ?? "")"
        case .statistics(let statistics): statistics.text
        case .speech:
            "speech heard"
        case .sound(let level):
            "a sound heard, \(JSON.fixed(level, places: 1) ?? "?") dBFS"
        case .tone(let hertz, let level):
            "tone of \(JSON.fixed(hertz, places: 0) ?? "?") Hz heard, \(JSON.fixed(level, places: 1) ?? "?") dBFS"
        case .playFinished: "played to the end"
        case .mediaSilent(let seconds): "no media from the peer for \(seconds) s"
        case .transfer(let report): report.text
        case .conference(let others):
            others.isEmpty ? "no longer in conference" : "in conference with \(others.joined(separator: ", "))"
        case .ended(let end, let duration, let statistics):
            "ended: \(end.text)\(duration.map { " after \(JSON.fixed($0.inSeconds, places: 1) ?? "?") s" } ?? "")"
                + (statistics.map { "; \($0.text)" } ?? "")
        }
    }
}

extension CallOccurrence {
    /// Why a change came to nothing.
    static func modifyFailure(_ status: StatusCode?) -> String {
        guard let status else { return "the change did not get through" }
        return status.isSuccess
            ? "what the peer answered to the change can't be used"
            : "the change was refused: \(status.value) \(status.reason)"
    }
}

extension MediaAgreement {
    /// `opus/48000/2 sendrecv, 203.0.113.9:16502`, the codec spelled as everywhere in the phone.
    var text: String {
        let format = media.sendFormat
        let channels = format.channels > 1 ? "/\(format.channels)" : ""
        return "\(format.encodingName.lowercased())/\(format.clockRate)\(channels) \(media.direction.rawValue), "
            + (media.remoteRTP.map { $0.description } ?? "no address to send to")
    }
}

extension MediaStatistics {
    var text: String {
        "sent \(sentPackets), received \(receivedPackets), lost \(lost) (\(JSON.fixed(lossPercent, places: 1) ?? "?") %), "
            + "late \(late), jitter \(JSON.fixed(jitterMilliseconds, places: 1) ?? "?") ms, "
            + "buffer \(JSON.fixed(bufferMilliseconds, places: 0) ?? "?") ms"
            + (roundTripMilliseconds.map { ", rtt \(JSON.fixed($0, places: 1) ?? "?") ms" } ?? "")
            + (listeningMOS.map { ", MOS \(JSON.fixed($0, places: 1) ?? "?")" } ?? "")
    }
}

extension CallEnd {
    /// One phrase, with the response where there was one.
    var text: String {
        let phrase =
            switch cause {
            case .hungUp: by == .local ? "hung up" : "the peer hung up"
            case .cancelled: "cancelled"
            case .answeredElsewhere: "answered elsewhere"
            case .refused: by == .local ? "refused" : "refused by the peer"
            case .ringTimeout: "no answer in time"
            case .timedOut: "nothing came back"
            case .unreachable: "can't be reached"
            case .notAcknowledged: "what we answered was never acknowledged"
            case .dialogLost: "the peer no longer knows the call"
            case .mediaRefused: "no media that both sides can use"
            case .protocolFault: "the peer broke the protocol"
            case .sessionExpired: "nobody refreshed the session in time"
            case .tooLong: "longest duration reached"
            case .authenticationFailed: "authentication failed"
            case .limited: "too many calls"
            case .shutDown: "shut down"
            case .transferred: "transferred"
            case .replaced: "another call took its place"
            }
        guard let status else { return phrase + (reason.map { ": \($0)" } ?? "") }
        return "\(phrase): \(status.value) \(reason ?? status.reason)"
    }
}

extension RequestAnswer {
    func text(target: String) -> String {
        let what = method == .options ? target : "\(target)  \(method.name)"
        guard let status else { return "\(what)  no answer\(reason.isEmpty ? "" : ": \(reason)")" }
        var parts = ["\(what)  \(status.value) \(reason), \(JSON.fixed(roundTrip.milliseconds, places: 1) ?? "?") ms"]
        for header in [HeaderName.allow, .supported, .accept] where headers.contains(header) {
            parts.append("\(header): \(headers.elements(header).joined(separator: ", "))")
        }
        for header in [HeaderName.server, .userAgent] {
            if let product = headers.first(header) { parts.append("\(header): \(product)") }
        }
        return parts.joined(separator: "; ")
    }
}
