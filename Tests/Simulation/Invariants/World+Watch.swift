import EngineKit
import SIPMessages
import SIPTransactions
import SIPUserAgent

/// Where the world shows the invariants what happens.
extension World {
    /// A phone sends something.
    mutating func watchSending(_ transmit: Transmit, _ message: Message?, from host: HostID) {
        guard let message else {
            // The answer to a broken request copies what can't be understood (RFC 3261 §8.2.6.2).
            let refusals = ["SIP/2.0 4", "SIP/2.0 505"]
            if hosts[host.index].gotNonsenseAt == now,
                refusals.contains(where: { transmit.bytes.starts(with: $0.utf8) })
            {
                return
            }
            return violate(.messagesAreWellFormed, "\(transmit.bytes.count) octets that are no message", at: host)
        }
        let traffic = Traffic(message: message, bytes: transmit.bytes, flow: transmit.flow, at: now)
        var findings = Findings()
        hosts[host.index].watch.sent(traffic, &findings)
        if logsEvents, String(decoding: transmit.bytes, as: UTF8.self).contains(Setting.password) {
            findings.add(.secretsStaySecret, "a message tells the password")
        }
        judgeTables(of: host, &findings)
        report(findings, at: host)
    }

    /// Something reaches a phone.
    mutating func watchArrival(_ message: Message?, _ bytes: [UInt8], over flow: Flow, at host: HostID) {
        guard let message else {
            hosts[host.index].gotNonsenseAt = now
            return
        }
        hosts[host.index].watch.arrived(Traffic(message: message, bytes: bytes, flow: flow, at: now))
    }

    mutating func watchTelling(_ event: Event, at host: HostID) {
        var findings = Findings()
        hosts[host.index].watch.told(event, at: now, &findings)
        report(findings, at: host)
    }

    /// Puts an event into the fingerprint; nothing in it may be a secret (I6).
    mutating func log(_ event: Event, at host: HostID) {
        let text = String(describing: event)
        fingerprint.add(text)
        if text.contains(Setting.password) { violate(.secretsStaySecret, "an event tells the password", at: host) }
    }

    private func judgeTables(of host: HostID, _ findings: inout Findings) {
        guard let occupancy = hosts[host.index].core?.occupancy else { return }
        let limits = UserAgentLimits.strict
        if occupancy.serverTransactions > limits.serverTransactions
            || occupancy.clientTransactions > limits.clientTransactions
        {
            findings.add(.tablesAreBounded, "\(occupancy)")
        }
    }

    private mutating func report(_ findings: Findings, at host: HostID) {
        for (invariant, text) in findings.list { violate(invariant, text, at: host) }
    }

    private mutating func violate(_ invariant: Invariant, _ text: String, at host: HostID) {
        violate(invariant, "\(hosts[host.index].name): \(text)")
    }

    // MARK: - To show that an invariant can fail

    /// Lets it seem that a phone sent something.
    package mutating func forge(
        _ bytes: [UInt8], from phone: HostID, to other: HostID, over transport: Transport = .udp
    ) {
        let flow = Flow(transport: transport, local: hosts[phone.index].address, remote: hosts[other.index].address)
        send(Transmit(bytes: bytes, flow: flow), from: phone)
    }

    /// Lets it seem that a phone told of something.
    package mutating func forge(_ event: Event, at phone: HostID) {
        tell(event, at: phone)
    }

    // MARK: - The end

    /// Looks at a world in which nothing is on its way.
    mutating func examinePeace() {
        for index in hosts.indices where hosts[index].isPhone && !hosts[index].watch.isDeceived {
            var findings = Findings()
            hosts[index].watch.story.atPeace(&findings)
            report(findings, at: HostID(index: index))
        }
    }

    /// Looks at a world in which nothing goes on any more: calls that did not end on both sides, state that was left.
    package mutating func examineRest() {
        for index in hosts.indices where hosts[index].isPhone {
            let host = HostID(index: index)
            var findings = Findings()
            if let core = hosts[index].core, core.occupancy != .empty {
                findings.add(.nothingIsLeft, "\(core.occupancy)")
            }
            hosts[index].watch.atRest(
                endedAt: hosts[index].offSince ?? now, isOff: hosts[index].isOff, &findings)
            judgeDigits(from: host, &findings)
            report(findings, at: host)
        }
    }

    /// The digits of a call that came are those that were to be sent, those that were taken among them.
    private func judgeDigits(from sender: HostID, _ findings: inout Findings) {
        let watch = hosts[sender.index].watch
        guard !isDeceived else { return }
        for (call, ordered) in watch.requests.ordered.sorted(by: { $0.key < $1.key }) {
            guard let callID = watch.story.callID(of: call), watch.story.isOneCall(callID) else { continue }
            let others = hosts.indices.filter { index in
                index != sender.index && hosts[index].watch.story.handle(of: callID) != nil
            }
            // Where an INVITE was forked, only one of them is the peer.
            guard others.count == 1, hosts[others[0]].watch.story.isOneCall(callID),
                let other = hosts[others[0]].watch.story.handle(of: callID)
            else { continue }
            let received = hosts[others[0]].watch.requests.received[other] ?? []
            let sent = watch.requests.sent[call] ?? []
            if !received.isPart(of: ordered) || !sent.isPart(of: received) {
                findings.add(
                    .requestsAreAnswered,
                    "of \(String(ordered)) the peer took \(String(sent)) and got \(String(received))")
            }
        }
    }
}
