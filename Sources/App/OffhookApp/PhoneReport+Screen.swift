import AudioCodecs
import EngineKit
import EventPackages
import RTPMedia
import SDP
import SIPMessages
import SIPUserAgent
import TerminalUI

/// The reports as events of the full-screen phone.
extension PhoneReport {
    var screenEvents: [PhoneEvent] {
        switch self {
        case .ready(let addresses):
            let text = addresses.map { "\($0.transport.name.lowercased()) \($0.address)" }.joined(separator: ", ")
            return [.log(.info, .phone, Printable("listening on \(text)"))]
        case .registration(let account, let state, _):
            return [.registration(account: Printable(account), state.onScreen)]
        case .call(let call, let occurrence):
            return occurrence.screenEvents(CallReference(call.handle.rawValue), call)
        case .answered(let target, let answer):
            return [answer.screenEvent(target: target)]
        case .message(let account, let message):
            return [.message(account: Printable(account), Party(message.from), Printable(message.text))]
        case .composing(_, let news):
            return [.composing(Party(news.from), isActive: news.isActive)]
        case .subscription(let account, let identity, let status):
            // That all is as wished nobody needs to read.
            if case .active = status { return [] }
            let text = "\(identity.event) of \(Party.withoutScheme(identity.target)): \(status.text)"
            return [.log(.info, .account(Printable(account)), Printable(text))]
        case .publication(let account, let status):
            return [.log(.info, .account(Printable(account)), Printable(status.text))]
        case .notified(let account, let notification):
            let text = "\(Party.withoutScheme(notification.target.shownText)): \(notification.text)"
            return [.log(.info, .account(Printable(account)), Printable(text))] + notification.shown(of: account)
        case .audioDevice(let name, let state, let detail):
            let text = "\(name): \(state)\(detail.isEmpty ? "" : ", " + detail)"
            return [.log(.warning, .other(Printable("audio")), Printable(text))]
        case .warning(let text):
            return [.log(.warning, .phone, Printable(text))]
        case .loopback, .verdict:
            return []
        }
    }
}

extension EventNotification {
    /// What it changes on the screen: the account's waiting messages, a contact's presence or lamp.
    fileprivate func shown(of account: String) -> [PhoneEvent] {
        let address = Printable(Party.withoutScheme(target.shownText))
        switch content {
        case .messageSummary(let summary):
            let count = summary.isWaiting ? Int(clamping: max(1, summary.voice?.new ?? 1)) : 0
            return [.messagesWaiting(account: Printable(account), count)]
        case .presence(let document):
            let detail = (document.activities + (document.note.map { [$0] } ?? [])).joined(separator: ", ")
            return [.presence(of: address, Presence(isOpen: document.isOpen, detail: Printable(detail)))]
        case .dialogs(let table): return [.lamp(of: address, BusyLamp(table.state))]
        case .none, .registration, .other, .unreadable: return []
        }
    }
}

extension BusyLamp {
    init(_ state: DialogInformation.State) {
        switch state {
        case .confirmed: self = .busy
        case .trying, .proceeding, .early: self = .ringing
        case .terminated: self = .idle
        }
    }
}

extension RequestAnswer {
    /// A message that did not arrive is told at once; all else is for the log.
    fileprivate func screenEvent(target: String) -> PhoneEvent {
        let isDone = status?.isSuccess ?? false
        switch method {
        case .message where !isDone:
            let cause = status.map { "\($0.value) \(reason)" } ?? reason
            return .failure(
                cause: Printable("the message to \(Party.withoutScheme(target)) did not arrive: \(cause)"), cure: nil)
        case .message:
            return .log(.info, .phone, Printable("message to \(Party.withoutScheme(target)) delivered"))
        default:
            return .log(status == nil ? .warning : .info, .phone, Printable(text(target: target)))
        }
    }
}

extension SIPUserAgent.RegistrationState {
    fileprivate var onScreen: TerminalUI.RegistrationState {
        switch self {
        case .registering, .unregistering: .registering
        case .registered(let expires): .registered(detail: Printable("for \(expires) s"))
        case .unregistered: .unregistered
        case .failed(let status, let reason, _):
            .failed(
                cause: Printable("\(status.map { "\($0.value) " } ?? "")\(reason)"), cure: Self.cure(for: status))
        }
    }
}

extension SIPUserAgent.RegistrationState {
    /// What the person can do about a registration that failed.
    private static func cure(for status: StatusCode?) -> Printable? {
        switch status?.value {
        case nil: Printable("Check the registrar's address, and whether the network is up.")
        case 401, 407: Printable("Check username and password.")
        case 403, 404: Printable("Check username, or the account is disabled.")
        case 503: Printable("The registrar is overloaded or down; it is asked again.")
        default: nil
        }
    }
}

extension CallOccurrence {
    fileprivate func screenEvents(_ reference: CallReference, _ call: CallIdentity) -> [PhoneEvent] {
        switch self {
        case .outgoing:
            return [
                .outgoingCall(
                    reference, account: Printable(call.account),
                    peer: Party(address: Printable(Party.withoutScheme(call.peer))))
            ]
        case .incoming(let incoming, _, _):
            return [.incomingCall(reference, incoming.onScreen(account: call.account))]
        case .trying: return [.progress(reference, .trying)]
        case .ringing(let progress):
            return [.progress(reference, .ringing(Printable("\(progress.status.value) \(progress.reason)")))]
        case .early: return [.progress(reference, .earlyMedia)]
        case .answered: return [.answered(reference)]
        case .media(let agreement):
            let format = agreement.media.sendFormat
            let codec = "\(format.encodingName.lowercased()) \(format.clockRate / 1000)k"
            return [.media(reference, MediaSummary(codec: Printable(codec), detail: Printable(agreement.text)))]
        case .held, .resumed: return []
        case .modifyFailed(let status):
            let cause = Printable(Self.modifyFailure(status))
            return [.failure(cause: cause, cure: Printable("the call goes on as it was"))]
        case .peerMoved, .digitsRefused, .playFinished, .tone, .speech, .sound, .mediaSilent:
            return [.log(.warning, .call(reference), Printable(text(peer: call.peer)))]
        case .digit(let digit, let isSent, _, _):
            return [.digit(reference, Printable(String(digit)), isSent ? .sent : .received)]
        case .conference(let others):
            return [
                .conference(reference, !others.isEmpty),
                .log(.info, .call(reference), Printable(text(peer: call.peer))),
            ]
        case .statistics:
            // The screen is refreshed more often than scripts are, and with the bit rate.
            return []
        case .transfer(let report):
            guard report.state != .failed else {
                return [.failure(cause: Printable(report.text), cure: Printable("the call goes on as it was"))]
            }
            guard report.role == .transferee else { return [.log(.info, .call(reference), Printable(report.text))] }
            guard report.state == .requested else {
                return [.transferSettled(reference), .log(.info, .call(reference), Printable(report.text))]
            }
            let target = Party(
                displayName: report.targetName.map { Printable($0) },
                address: Printable(Party.withoutScheme(report.target)))
            return [.transferRequested(reference, target: target)]
        case .ended(let end, let duration, _):
            return [.ended(reference, end.onScreen(ofCallTo: call.peer, wasAnswered: duration != nil))]
        }
    }
}

extension SIPUserAgent.IncomingCall {
    fileprivate func onScreen(account: String) -> TerminalUI.IncomingCall {
        let formats = offer?.media.first(where: { $0.kind == .audio })?.mediaFormats ?? []
        let codecs = formats.filter { !$0.isTelephoneEvent && !$0.isRedundancy }.map { $0.encodingName.lowercased() }
        return TerminalUI.IncomingCall(
            account: Printable(account), peer: Party(remoteParty),
            via: Printable([flow.remote.description, forwarding].compactMap { $0 }.joined(separator: ", ")),
            codecs: codecs.prefix(3).map { Printable($0) },
            trust: Printable(
                (replacement == nil ? "" : "takes the place of a call · ")
                    + (joining == nil ? "" : "wants to join a call · ")
                    + (provenCaller.map { "authenticated as \($0)" } ?? trust.words)))
    }
}

extension CallerTrust {
    fileprivate var words: String {
        switch self {
        case .loopback: "this machine"
        case .registrarFlow: "by your registrar"
        case .authenticated: "authenticated"
        case .allowListed: "allowed address"
        case .stranger: "address not verified"
        }
    }
}

extension Party {
    init(_ address: NameAddress) {
        let name = address.displayName.flatMap { $0.isEmpty ? nil : Printable($0) }
        self.init(displayName: name, address: Printable(Self.withoutScheme(address.uri.shownText)))
    }

    /// A URI as a person reads it.
    static func withoutScheme(_ uri: String) -> String {
        for scheme in ["sip:", "sips:"] where uri.hasPrefix(scheme) { return String(uri.dropFirst(scheme.count)) }
        return uri
    }
}

extension SIPUserAgent.CallEnd {
    /// - Parameter target: whom we called; a redirection to a less secure address is not offered (RFC 3261 §8.1.3.4).
    fileprivate func onScreen(ofCallTo target: String, wasAnswered: Bool) -> TerminalUI.CallEnd {
        let next = redirections.first { !target.hasPrefix("sips:") || $0.scheme == "sips" }
        let isFailure =
            switch cause {
            case .hungUp, .cancelled, .answeredElsewhere, .shutDown, .tooLong, .transferred, .replaced: false
            // What we refuse ourselves is as we want it.
            case .refused: by == .remote
            default: true
            }
        return TerminalUI.CallEnd(
            cause: Printable(text), cure: cure(next, wasAnswered: wasAnswered).map { Printable($0) },
            side: by == .local || cause == .answeredElsewhere ? .local : .remote,
            isFailure: isFailure, redirection: next.flatMap(\.dialled))
    }

    /// What the person can do about it.
    private func cure(_ next: URI?, wasAnswered: Bool) -> String? {
        if let next, next.dialled != nil {
            return "To call \(Party.withoutScheme(next.shownText)) instead: d, then up and Enter."
        }
        switch cause {
        case .unreachable: return "Check the address, and whether the network is up."
        case .timedOut where wasAnswered: return "The peer or the network to it is gone; call again."
        case .timedOut: return "Check the address and port; a firewall may drop SIP."
        case .authenticationFailed: return "Check username and password of the account."
        case .mediaRefused: return "The peer takes none of our codecs; see --codec."
        case .refused: break
        default: return nil
        }
        switch status?.value {
        case 401, 407, 403: return "Check username and password, or ask the operator whether the call is allowed."
        case 404, 484, 604: return "Check the number or name."
        case 408, 480: return "Try again later."
        case 488, 606: return "The peer takes none of our codecs; see --codec."
        case 503: return "The server is overloaded or down; try again later."
        default: return nil
        }
    }
}

extension URI {
    /// As it is dialled again; nil where a line could not hold all of it.
    fileprivate var dialled: Printable? {
        let text = Printable(description)
        return text.text == description ? text : nil
    }
}

extension MediaStatistics {
    /// `kilobitsPerSecond` is not a counter's business: the screen's owner knows the time between two readings.
    var onScreen: CallQuality {
        CallQuality(
            lossPercent: lossPercent, jitterMilliseconds: jitterMilliseconds, bufferMilliseconds: bufferMilliseconds,
            roundTripMilliseconds: roundTripMilliseconds, meanOpinionScore: listeningMOS, packetsSent: sentPackets,
            packetsReceived: receivedPackets, packetsLost: lost, packetsLate: late)
    }
}
