import EngineKit
import RTPMedia
import SIPMessages
import SIPRuntime
import SIPUserAgent

/// What the loopback test notes while its call runs. On one thread.
final class LoopbackLog {
    private(set) var callerAddress: SocketAddress?
    private(set) var calleeAddress: SocketAddress?
    private(set) var ladder: [LoopbackReport.Step] = []
    private(set) var setUp: Duration?
    private(set) var codec: String?
    /// Milliseconds in a packet that each side sends, as it agreed.
    private(set) var packetTimes = (caller: 0, callee: 0)
    private(set) var endedByCaller = false
    private(set) var endedAtCallee = false
    private(set) var isByeAnswered = false
    var statistics: (caller: MediaStatistics?, callee: MediaStatistics?) = (nil, nil)
    var problem: String?
    private var invitedAt: Instant?

    func note(_ report: PhoneReport, isCaller: Bool) {
        switch report {
        case .ready(let addresses):
            let udp = addresses.first { $0.transport == .udp }?.address
            if isCaller { callerAddress = udp } else { calleeAddress = udp }
        case .call(_, .media(let agreement)) where isCaller:
            codec = agreement.media.sendFormat.encodingName.lowercased()
            packetTimes.caller = agreement.media.ptime
        case .call(_, .media(let agreement)):
            packetTimes.callee = agreement.media.ptime
        case .call(_, .ended(let end, _, _)):
            if isCaller { endedByCaller = true } else { endedAtCallee = true }
            if end.cause != .hungUp { problem = "the call ended: \(end.text)" }
        case .audioDevice(let name, "lost", let detail):
            problem = "audio device \(name): \(detail)"
        case .warning(let text) where callerAddress == nil || calleeAddress == nil:
            problem = text
        default: break
        }
    }

    /// The caller's messages make the ladder. Retransmissions show as what they are.
    func note(_ traced: TracedMessage) {
        guard let message = try? MessageParser.parse(traced.bytes) else { return }
        if invitedAt == nil { invitedAt = traced.instant }
        let at = traced.instant - (invitedAt ?? traced.instant)
        switch message {
        case .request(let request):
            append(request.method.name, traced, at)
        case .response(let response):
            append("\(response.status.value)", traced, at)
            guard traced.direction == .received, response.status.isSuccess else { return }
            switch response.cSeq.method {
            case .invite: if setUp == nil { setUp = at }
            case .bye: isByeAnswered = true
            default: break
            }
        }
    }

    private func append(_ text: String, _ traced: TracedMessage, _ at: Duration) {
        ladder.append(LoopbackReport.Step(text: text, isFromCaller: traced.direction == .sent, at: at))
    }
}
