import AudioCodecs
import EngineKit
import RTPMedia
import SDP
import SIPMessages
import SIPUserAgent

/// The reports as the events of `Docs/Scripting.md`: one name, and members in one order.
extension PhoneReport {
    /// The event's name, and its members after `v`, `event`, `time` and `t`.
    var event: (name: String, members: [JSON.Member]) {
        switch self {
        case .ready(let addresses):
            let list = addresses.map { "\($0.transport.name.lowercased()):\($0.address)" }
            return ("ready", [.init("addresses", .array(list.map { .string($0) }))])
        case .registration(let account, let state, let binding):
            let (name, members) = Self.registration(account, state)
            return (name, members + (binding?.members ?? []))
        case .call(let call, let occurrence):
            let (name, members) = occurrence.event
            return (name, call.members + members)
        case .answered(let target, let answer):
            return (answer.method.eventName, [.init("peer", .string(target))] + answer.members)
        case .message(let account, let message):
            return ("message.received", [.init("account", .string(account))] + message.members)
        case .composing(let account, let news):
            return ("message.composing", [.init("account", .string(account))] + news.members)
        case .subscription(let account, let identity, let status):
            return (
                "subscription",
                [
                    .init("account", .string(account)), .init("peer", .string(identity.target)),
                    .init("package", .string(identity.event)),
                ] + status.members
            )
        case .publication(let account, let status):
            return ("publication", [.init("account", .string(account))] + status.members)
        case .notified(let account, let notification):
            let (name, members) = notification.reported
            return (name, [.init("account", .string(account))] + members)
        case .audioDevice(let name, let state, let detail):
            return (
                "audio.device",
                [.init("device", .string(name)), .init("state", .string(state)), .init("detail", .string(detail))]
            )
        case .warning(let text):
            return ("warning", [.init("text", .string(text))])
        case .loopback(let report):
            return ("loopback", report.json)
        case .verdict(let failed, let exit):
            return (
                "verdict",
                [
                    .init("ok", .bool(exit == .success)), .init("failed", .array(failed.map { .string($0) })),
                    .init("exit", .integer(exit.code)),
                ]
            )
        }
    }

    private static func registration(_ account: String, _ state: RegistrationState) -> (String, [JSON.Member]) {
        let members = [JSON.Member("account", .string(account))]
        switch state {
        case .registering:
            return ("register.trying", members)
        case .registered(let expires):
            return ("register.ok", members + [.init("expires", .integer(expires))])
        case .unregistering:
            return ("register.removing", members)
        case .unregistered:
            return ("register.removed", members)
        case .failed(let status, let reason, let retryAfter):
            return (
                "register.failed",
                members + (status.map { [.init("code", .integer($0.value))] } ?? []) + [
                    .init("reason", .string(reason)),
                    .init("retry_after", retryAfter.map { .decimal($0.inSeconds, places: 0) } ?? .null),
                ]
            )
        }
    }
}

extension CallIdentity {
    fileprivate var members: [JSON.Member] {
        var members = [JSON.Member("call", .string(shortName))]
        if let callID { members.append(.init("call_id", .string(callID))) }
        members.append(.init("account", .string(account)))
        members.append(.init("peer", .string(peer)))
        return members
    }
}

extension CallOccurrence {
    fileprivate var event: (name: String, members: [JSON.Member]) {
        switch self {
        case .outgoing: return ("call.outgoing", [])
        case .incoming(let call, let replaces, let joins):
            var members = call.members
            if let replaces { members.append(.init("replaces", .string(replaces))) }
            if let joins { members.append(.init("joins", .string(joins))) }
            return ("call.incoming", members)
        case .trying: return ("call.trying", [])
        case .ringing(let progress):
            return (
                "call.ringing",
                [.init("code", .integer(progress.status.value)), .init("reason", .string(progress.reason))]
            )
        case .early: return ("call.early", [])
        case .answered(let status, let reason):
            return ("call.answered", [.init("code", .integer(status.value)), .init("reason", .string(reason))])
        case .media(let agreement): return ("call.media", agreement.members)
        case .held(let side): return ("call.held", [.init("by", .string(side.name))])
        case .resumed(let side): return ("call.resumed", [.init("by", .string(side.name))])
        case .modifyFailed(let status):
            return (
                "call.reinvite",
                [.init("ok", .bool(false))] + (status.map { [.init("code", .integer($0.value))] } ?? [])
            )
        case .peerMoved(let address):
            return ("warning", [.init("text", .string("requests of the peer now come from \(address)"))])
        case .digit(let digit, let isSent, let mode, let milliseconds):
            return (
                "call.dtmf",
                [
                    .init("digit", .string(String(digit))), .init("direction", .string(isSent ? "sent" : "received")),
                    .init("mode", .string(mode.rawValue)), .init("ms", milliseconds.map { .integer($0) } ?? .null),
                ]
            )
        case .digitsRefused:
            return ("warning", [.init("text", .string(text(peer: "")))])
        case .statistics(let statistics): return ("call.stats", [.init("stats", statistics.json)])
        case .speech:
            return ("call.speech", [])
        case .sound(let level):
            return ("call.sound", [.init("dbfs", .decimal(level, places: 1))])
        case .tone(let hertz, let level):
            return ("call.tone", [.init("hz", .decimal(hertz, places: 1)), .init("dbfs", .decimal(level, places: 1))])
        case .playFinished: return ("call.played", [])
        case .mediaSilent(let seconds):
            return ("warning", [.init("text", .string("no media from the peer for \(seconds) s"))])
        case .transfer(let report): return ("call.transfer", report.members)
        case .conference(let others):
            return ("call.conference", [.init("with", .array(others.map { .string($0) }))])
        case .ended(let end, let duration, let statistics):
            var members = end.members
            members.append(.init("duration", duration.map { .decimal($0.inSeconds, places: 3) } ?? .null))
            if let statistics { members.append(.init("stats", statistics.json)) }
            return ("call.ended", members)
        }
    }
}

extension IncomingCall {
    fileprivate var members: [JSON.Member] {
        [
            .init("to", .string(requestURI.shownText)), .init("source", .string(flow.remote.description)),
            .init("trust", .string("\(trust)")), .init("automatic", .bool(mayAnswerAutomatically)),
        ] + (provenCaller.map { [.init("user", .string($0))] } ?? []) + information.members(from: from)
    }
}

extension CallerInformation {
    /// What goes without saying is not said.
    fileprivate func members(from caller: NameAddress) -> [JSON.Member] {
        var members: [JSON.Member] = []
        if let assertedIdentity {
            members.append(.init("asserted", .string(assertedIdentity.uri.shownText)))
            members.append(.init("from", .string(caller.uri.shownText)))
        }
        if isAnonymous { members.append(.init("anonymous", .bool(true))) }
        if !diversions.isEmpty {
            members.append(.init("diversion", .array(diversions.map { .string($0.uri.shownText) })))
        }
        if !history.isEmpty { members.append(.init("history", .array(history.map { .string($0.uri.shownText) }))) }
        if wantsAnswer { members.append(.init("wants_answer", .bool(true))) }
        return members
    }
}

extension MediaAgreement {
    fileprivate var members: [JSON.Member] {
        [
            .init("codec", .string(media.sendFormat.encodingName.lowercased())),
            .init("rate", .integer(media.sendFormat.clockRate)), .init("channels", .integer(media.sendFormat.channels)),
            .init("ptime", .integer(media.ptime)), .init("direction", .string(media.direction.rawValue)),
            .init("local", .string("\(SocketAddress(media.localAddress, port: media.localRTPPort))")),
            .init("remote", media.remoteRTP.map { .string($0.description) } ?? .null),
            .init("rtcp_mux", .bool(media.rtcpMux)), .init("encryption", .string("none")),
        ]
    }
}

extension CallEnd.Side {
    var name: String { self == .local ? "local" : "remote" }
}

extension CallEnd {
    fileprivate var members: [JSON.Member] {
        var members = [JSON.Member("cause", .string(cause.name)), .init("by", .string(by.name))]
        if let status { members.append(.init("code", .integer(status.value))) }
        if let reason { members.append(.init("reason", .string(reason))) }
        if let retryAfter { members.append(.init("retry_after", .integer(retryAfter))) }
        if !redirections.isEmpty {
            members.append(.init("redirections", .array(redirections.map { .string($0.description) })))
        }
        return members
    }
}

extension CallEnd.Cause {
    /// The word of the contract.
    var name: String {
        switch self {
        case .hungUp: "hung-up"
        case .cancelled: "cancelled"
        case .answeredElsewhere: "answered-elsewhere"
        case .refused: "refused"
        case .ringTimeout: "ring-timeout"
        case .timedOut: "timed-out"
        case .unreachable: "unreachable"
        case .notAcknowledged: "not-acknowledged"
        case .dialogLost: "dialog-lost"
        case .mediaRefused: "media-refused"
        case .protocolFault: "protocol-fault"
        case .sessionExpired: "session-expired"
        case .tooLong: "too-long"
        case .authenticationFailed: "authentication-failed"
        case .limited: "limited"
        case .shutDown: "shut-down"
        case .transferred: "transferred"
        case .replaced: "replaced"
        }
    }
}

extension SIPMessages.Method {
    /// The event that tells what a request of this method brought.
    fileprivate var eventName: String {
        switch self {
        case .options: "options"
        case .message: "message.sent"
        default: "request"
        }
    }
}

extension IncomingMessage {
    fileprivate var members: [JSON.Member] {
        [
            .init("peer", .string(from.uri.shownText)), .init("to", .string(requestURI.shownText)),
            .init("source", .string(flow.remote.description)), .init("trust", .string("\(trust)")),
            .init("type", .string("\(contentType.type)/\(contentType.subtype)")), .init("text", .string(text)),
        ]
    }
}

extension RequestAnswer {
    fileprivate var members: [JSON.Member] {
        var members: [JSON.Member] = []
        if method != .options, method != .message { members.append(.init("method", .string(method.name))) }
        if let status { members.append(.init("code", .integer(status.value))) }
        members.append(.init("reason", .string(reason)))
        members.append(.init("rtt_ms", .decimal(roundTrip.milliseconds, places: 1)))
        for (name, header) in [("allow", HeaderName.allow), ("supported", .supported), ("accept", .accept)]
        where headers.contains(header) {
            members.append(.init(name, .string(headers.elements(header).joined(separator: ", "))))
        }
        for (name, header) in [("server", HeaderName.server), ("user_agent", .userAgent)] {
            if let product = headers.first(header) { members.append(.init(name, .string(product))) }
        }
        return members
    }
}

extension MediaStatistics {
    /// `stats` of the contract.
    var json: JSON {
        func optional(_ value: Double?, places: Int) -> JSON { value.map { .decimal($0, places: places) } ?? .null }
        func level(_ value: Double) -> JSON { value <= LevelMeter.floor ? .null : .decimal(value, places: 1) }
        func side(_ packets: UInt64, _ bytes: UInt64) -> JSON {
            .object([.init("packets", .integer(packets)), .init("bytes", .integer(bytes))])
        }
        return .object([
            .init("codec", .string(sendCodec.name)), .init("tx", side(sentPackets, sentOctets)),
            .init("rx", side(receivedPackets, receivedOctets)), .init("lost", .integer(lost)),
            .init("loss_pct", .decimal(lossPercent, places: 2)), .init("late", .integer(late)),
            .init("duplicate", .integer(duplicate)), .init("reordered", .integer(reordered)),
            .init("concealed_ms", .integer(concealedMilliseconds)), .init("fec_recovered", .integer(recoveredByFEC)),
            .init("jitter_ms", .decimal(jitterMilliseconds, places: 1)),
            .init("buffer_ms", .decimal(bufferMilliseconds, places: 1)),
            .init("rtt_ms", optional(roundTripMilliseconds, places: 1)),
            .init("latency_ms", optional(latencyMilliseconds, places: 1)),
            .init("mos_lq", optional(listeningMOS, places: 2)), .init("mos_cq", optional(conversationalMOS, places: 2)),
            .init("level_dbfs", .object([.init("sent", level(sentLevel)), .init("heard", level(heardLevel))])),
            .init("clock_drift_ppm", optional(clockDriftPPM, places: 1)),
        ])
    }
}

extension RegistrationBinding {
    fileprivate var members: [JSON.Member] {
        [
            .init("contact", .string("\(contact)")), .init("transport", .string(flow.transport.name.lowercased())),
            .init("local", .string("\(flow.local)")), .init("remote", .string("\(flow.remote)")),
            .init("outbound", .bool(isOutbound)), .init("gruu", publicGRUU.map { .string("\($0)") } ?? .null),
            .init("temp_gruu", temporaryGRUU.map { .string("\($0)") } ?? .null),
        ]
    }
}
