import EngineKit
import RTPMedia
import SDP
import SIPMessages
import SIPTransactions
import Testing

@testable import OffhookApp
@testable import SIPUserAgent

/// What a coordinator asked for and reported so far, in short words.
struct Desk {
    var coordinator: CallCoordinator
    var now = Instant.zero
    var signalling: [String] = []
    var media: [String] = []
    var reports: [String] = []
    /// Each call's name, and those of whom its peer hears.
    var conferences: [String] = []
    /// What of calls was last muted, or not.
    private var muted: [CallHandle: Bool] = [:]
    var exit: OffhookApp.ExitStatus?
    /// Whether ports are bound at once, else when a test says that they are.
    var bindsAtOnce = true

    init(_ attendant: Attendant = .person([:])) {
        coordinator = CallCoordinator(
            CallCoordinator.Settings(
                codecs: [.opus], accountNames: [AccountID(rawValue: 0): "me"], attendant: attendant))
    }

    mutating func tell(_ event: SIPUserAgent.Event) {
        coordinator.receive(event, at: now)
        drain()
    }

    mutating func tell(_ report: MediaReport, _ handle: CallHandle) {
        coordinator.receive(report, of: handle, at: now)
        drain()
    }

    mutating func pass(_ duration: Duration) {
        let end = now + duration
        while let deadline = coordinator.deadline, deadline <= end {
            now = deadline
            coordinator.handleDeadline(at: now)
            drain()
        }
        now = end
    }

    /// Ports are bound and media is closed at once, as the media engine does.
    mutating func drain() {
        while let output = coordinator.nextOutput() {
            switch output {
            case .signalling(let command): signalling.append("\(command)".prefixWord)
            case .media(.open(let handle)) where bindsAtOnce:
                coordinator.receive(.opened(rtpPort: 20000, rtcpPort: 20001), of: handle, at: now)
            case .media(.close(let handle)): coordinator.receive(.closed(nil), of: handle, at: now)
            case .media(.alert(_, let tone)): media.append("alert \(tone.map { "\($0)" } ?? "none")")
            case .media(let order):
                if case .mute(let handle, let isMuted) = order { muted[handle] = isMuted }
                media.append("\(order)".prefixWord)
            case .report(let report):
                reports.append(report.event.name)
                if case .call(let call, .conference(let others)) = report {
                    conferences.append(([call.shortName + ":"] + others).joined(separator: " "))
                }
            case .finished(let status): exit = status
            }
        }
    }

    mutating func dial(_ script: CallScript? = CallScript()) throws -> CallHandle {
        coordinator.endsWithLastCall = true
        let uri = try URI(parsing: "sip:bob@192.0.2.7")
        let handle = coordinator.dial(uri, account: nil, script: script, at: now)
        drain()
        return handle
    }

    mutating func answer(_ handle: CallHandle, status: StatusCode = 200, takesEvents: Bool = true) throws {
        tell(.answered(handle, CallAnswer(status: status, reason: "OK", dialog: nil, headers: Headers())))
        tell(.mediaAgreed(handle, try agreement(takesEvents: takesEvents)))
        tell(.established(handle))
    }

    mutating func muting(of handle: CallHandle) -> Bool? {
        drain()
        return muted[handle]
    }

    func agreement(direction: Direction = .sendReceive, takesEvents: Bool = true) throws -> MediaAgreement {
        let format = try #require(MediaFormat(payloadType: 0, encodingName: "PCMU", clockRate: 8000))
        let events =
            takesEvents
            ? MediaFormat(payloadType: 101, encodingName: "telephone-event", clockRate: 8000) : nil
        let media = AgreedMedia(
            remoteRTP: SocketAddress(.v4(0xC000_0207), port: 30000), remoteRTCP: nil, rtcpMux: false,
            direction: direction, sendFormat: format, receiveFormats: [format], sendTelephoneEvent: events,
            receiveTelephoneEvents: [], ptime: 20, localAddress: .loopback, localRTPPort: 20000,
            localRTCPPort: 20001)
        return MediaAgreement(
            media: media, signallingPeer: SocketAddress(.v4(0xC000_0207), port: 5060), mayTransmit: true)
    }

    func incoming(_ callID: String) throws -> IncomingCall {
        let party = NameAddress(uri: try URI(parsing: "sip:carol@192.0.2.9"))
        let local = SocketAddress(.v4(0xC000_0201), port: 5060)
        let remote = SocketAddress(.v4(0xC000_0209), port: 5060)
        return IncomingCall(
            account: AccountID(rawValue: 0), from: party, to: party, requestURI: party.uri, callID: callID,
            flow: Flow(transport: .udp, local: local, remote: remote), trust: .stranger,
            mayAnswerAutomatically: false, offer: nil, headers: Headers())
    }

    mutating func end(_ handle: CallHandle, _ cause: CallEnd.Cause, status: StatusCode? = nil) {
        tell(.ended(handle, CallEnd(cause: cause, by: .remote, status: status)))
        tell(.shutDownFinished)
    }
}

extension String {
    fileprivate var prefixWord: String { String(prefix { $0.isLetter }) }
}
