import EngineKit

extension AppState {
    /// The calls of now and before, the newest first: it is the one that is looked for.
    func callListRows(width: Int, at now: Instant) -> [StyledText] {
        let all = Array((pastCalls + calls).reversed())
        guard !all.isEmpty else { return [StyledText("      No call yet. Type a number or press d to dial.", .quiet)] }
        return all.map { call in
            var row = StyledText(" ")
            let time = timeOfDay(at: call.since)
            let isNarrow = Layout.isNarrow(width)
            let clock = isNarrow ? time?.hoursAndMinutes : time?.withSeconds
            row.append(CellText.fitted(clock ?? "", to: isNarrow ? 5 : 8), .quiet)
            row.append(isNarrow ? " " : "  ")
            row.append(call.incoming == nil ? "→ " : "← ")
            let stateColumn = isNarrow ? width - 17 : min(width - 39, 56)
            row.append(call.peer.fitted(to: stateColumn - row.width - 1))
            row.pad(to: stateColumn)
            row.append(CellText.cut(call.stateText(at: now), to: isNarrow ? 16 : 28), call.stateStyle)
            if let duration = call.duration, !isNarrow {
                row.pad(to: stateColumn + 30)
                row.append(Figure.clock(duration))
            }
            return row
        }
    }

    /// Every account with its state in full, its failure's cure included.
    func registrationRows(width: Int) -> [StyledText] {
        guard !accounts.isEmpty else {
            return [StyledText("      No account. Add an [[account]] to the configuration, and start again.", .quiet)]
        }
        return accounts.flatMap { account -> [StyledText] in
            var row = StyledText(" " + CellText.fitted(account.name.text, to: 12), .bright)
            row.append(" \(account.sign) ", account.style)
            var rows = [row]
            let isNarrow = Layout.isNarrow(width)
            if isNarrow {
                rows[0].append(account.word(limit: width - 17), account.style)
                rows.append(StyledText("   " + CellText.cut(account.address.text, to: width - 4)))
            } else {
                rows[0].append(CellText.fitted(account.address.text, to: 32) + " ")
                rows[0].append(account.word(limit: width - 52), account.style)
            }
            rows[0].append(account.name == dialAccount ? "  calls go out from it" : "")
            guard case .failed(let cause, let cure) = account.state else { return rows }
            let sentence = cure.map { "\(cause): \($0)" } ?? cause.text
            if isNarrow { return rows + CellText.wrapped(sentence, to: width - 4).map { StyledText("   " + $0) } }
            return rows + CellText.wrapped(sentence, to: width - 18).map { StyledText(CellText.blanks(16) + $0) }
        }
    }
}

extension AccountLine {
    fileprivate func word(limit: Int) -> String {
        if case .registered(let detail) = state { return CellText.cut("registered \(detail)", to: limit) }
        if case .failed = state { return "failed" }
        return word
    }
}

extension CallLine {
    /// Everything known about the media of a call.
    func statusRows(width: Int, at now: Instant) -> [StyledText] {
        var rows: [StyledText] = []
        func add(_ name: String, _ value: String?, _ style: Style = .plain) {
            guard let value, !value.isEmpty else { return }
            for (index, part) in CellText.wrapped(value, to: width - 20).enumerated() {
                var row = StyledText("   " + (index == 0 ? name : ""), .quiet)
                row.pad(to: 18)
                row.append(part, style)
                rows.append(row)
            }
        }
        add("peer", peer.shown.text, .bright)
        add("account", account.text)
        add("state", stateText(at: now), stateStyle)
        if let duration { add("duration", Figure.clock(duration)) }
        if case .ended(let end) = state { add("cure", end.cure?.text) }
        add("via", incoming?.via.text)
        add("caller", incoming?.trust.text)
        add("codec", media?.codec.text)
        add("media", media?.detail.text)
        add("microphone", isMuted ? "muted" : nil, .waiting)
        add("digits heard", digitsReceived)
        guard let quality else { return rows }
        func figure(_ value: Double?, _ unit: String) -> String? { value.map { "\(Figure.tenths($0)) \(unit)" } }
        add("sent", "\(quality.packetsSent) packets")
        add("received", "\(quality.packetsReceived) packets, \(quality.packetsLost) lost, \(quality.packetsLate) late")
        add("loss", figure(quality.lossPercent, "%"))
        add("jitter", figure(quality.jitterMilliseconds, "ms"))
        add("buffer", figure(quality.bufferMilliseconds, "ms"))
        add("round trip", figure(quality.roundTripMilliseconds, "ms"))
        add("rate", figure(quality.kilobitsPerSecond, "kbit/s"))
        add("MOS", quality.meanOpinionScore.map(Figure.tenths))
        return rows
    }
}
