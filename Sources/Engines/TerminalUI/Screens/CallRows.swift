import EngineKit

extension AppState {
    static let firstCallRow = 3

    /// Rows for the calls on a screen of so many: five at least are left for the log, with its title and the three rows
    /// at the bottom.
    func callsHeight(ofRows rows: Int) -> Int {
        min(max(calls.reduce(0) { $0 + $1.rowCount }, 3), rows - Self.firstCallRow - 10)
    }

    /// The rows of the calls, from row 2 on; returns the row after the rule below them.
    func drawCalls(into canvas: inout Canvas, at now: Instant) -> Int {
        let top = Self.firstCallRow
        canvas.put(" CALLS", column: 0, row: 2, style: .quiet)
        let heights = calls.map(\.rowCount)
        let height = callsHeight(ofRows: canvas.rows)
        if calls.isEmpty {
            canvas.put("No call. Type a number or press d to dial.", column: 6, row: top, style: .quiet)
            canvas.put("What calls you shows up here.", column: 6, row: top + 1, style: .quiet)
        }
        // Where not all fit, the view begins so that the selected call is the last at worst.
        var first = 0
        if let selected = calls.firstIndex(where: { $0.reference == selection }) {
            while first < selected, heights[first...selected].reduce(0, +) > height { first += 1 }
        }
        var row = top
        var shown = 0
        for call in calls.dropFirst(first) {
            guard row + call.rowCount <= top + height else { break }
            canvas.put(
                call.row(width: canvas.columns, isSelected: call.reference == selection, at: now), column: 0, row: row)
            if call.rowCount > 1 { canvas.put(call.meters, column: 6, row: row + 1) }
            row += call.rowCount
            shown += 1
        }
        let hidden = calls.count - shown
        var remarks: [String] = []
        let hearing = hearingCalls.count
        if hearing > 1 { remarks.append("\(hearing) hear you at once: x holds one") }
        if hidden > 0 { remarks.append("\(hidden) more: [ ] select") }
        canvas.put(remarks.joined(separator: "  "), column: 8, row: 2, style: .waiting)
        canvas.rule(row: top + height)
        return top + height + 1
    }
}

extension CallLine {
    /// A call that was answered has its meters on a second row, and keeps it on hold and after its end, lest the calls
    /// below it jump.
    var rowCount: Int { isEstablished || duration != nil ? 2 : 1 }

    func row(width: Int, isSelected: Bool, at now: Instant) -> StyledText {
        // On a wide screen the state stays near the name.
        let stateColumn = min(width - 42, 56)
        var text = StyledText(isSelected ? " ▶ " : "   ", .bright)
        let weight: Style = isTalking ? .bright : .plain
        // Numbers go on, and none is ever cut.
        text.append("\(number)", isSelected ? .bright : weight)
        text.pad(to: 6)
        text.append(peer.fitted(to: stateColumn - text.width - 1), weight)
        text.pad(to: stateColumn)
        // Why a call came to nothing may take the place of the codec that it never had.
        let hasMedia = isLive || media != nil
        text.append(stateText(at: now, width: hasMedia ? 20 : width - stateColumn - 1), stateStyle)
        guard hasMedia else { return text }
        text.pad(to: stateColumn + 21)
        text.append(CellText.fitted(media?.codec.text ?? "", to: 10))
        let rate = quality?.kilobitsPerSecond.map { Figure.rounded($0) + "k" } ?? ""
        text.append(" " + CellText.fittedRight(isTalking ? rate : "", to: 4))
        if isMuted, isLive { text.append(" MUTE", .waiting) }
        return text
    }

    /// Sign, word and clock; where they are wider than `width` cells the word is cut, the clock never.
    func stateText(at now: Instant, width: Int = .max) -> String {
        guard let clockStart else { return CellText.cut("\(sign) \(stateWord)", to: width) }
        let clock = " " + Figure.clock(now - clockStart)
        return CellText.cut("\(sign) \(stateWord)", to: width - CellWidth.of(clock)) + clock
    }

    private var stateWord: String {
        if isHangingUp, isLive { return "hanging up" }
        switch state {
        case .calling: return "calling"
        case .ringing: return "ringing"
        case .earlyMedia: return "early media"
        case .incoming(let isSilenced): return isSilenced ? "ignored" : "incoming"
        case .ended(let end): return end.cause.text
        case .established: break
        }
        switch holdState {
        case .none: return "up"
        case .byUs: return "held"
        case .byPeer: return "held by peer"
        case .byBoth: return "held by both"
        }
    }

    /// Since when the state's clock runs; nil where it has none.
    private var clockStart: Instant? {
        guard isLive, !isHangingUp else { return nil }
        return isEstablished && holdState != .none ? heldSince : since
    }

    var sign: String {
        switch state {
        case .calling, .ringing, .earlyMedia, .incoming: "◌"
        case .established: holdState == .none ? "●" : "‖"
        case .ended(let end): end.isFailure ? "✕" : "○"
        }
    }

    var stateStyle: Style {
        switch state {
        case .calling, .ringing, .earlyMedia: .waiting
        case .incoming(let isSilenced): isSilenced ? .waiting : .urgent
        case .established: holdState == .none ? .good : .waiting
        case .ended(let end): end.isFailure ? .urgent : .quiet
        }
    }

    /// `mic ▁▂▅▇▅▂▁▁  ear ▂▃▇█▆▃▁▁  loss  0.4%  jit   6  buf  40  rtt  31  MOS 4.3`
    ///
    /// Where nothing is spoken the same figures stand in the same places, and nothing of it is bright.
    var meters: StyledText {
        var text = StyledText()
        if let duration {
            text.append(CellText.fitted("lasted \(Figure.clock(duration))", to: 26), .quiet)
        } else {
            text.append("mic ", .quiet)
            text.append(microphone.text, isTalking && !isMuted ? .good : .quiet)
            text.append("  ear ", .quiet)
            text.append(ear.text, isTalking ? .good : .quiet)
        }
        guard let quality else { return text }
        func add(_ name: String, _ value: String?, cells: Int, _ style: Style = .plain) {
            text.append("  \(name) ", .quiet)
            text.append(CellText.fittedRight(value ?? "-", to: cells), isTalking ? style : .quiet)
        }
        let loss = quality.lossPercent
        add("loss", loss.map { Figure.tenths($0) + "%" }, cells: 5, (loss ?? 0) >= 3 ? .urgent : .bright)
        add("jit", quality.jitterMilliseconds.map(Figure.rounded), cells: 3)
        add("buf", quality.bufferMilliseconds.map(Figure.rounded), cells: 3)
        add("rtt", quality.roundTripMilliseconds.map(Figure.rounded), cells: 3)
        if let score = quality.meanOpinionScore { add("MOS", Figure.tenths(score), cells: 3, .bright) }
        return text
    }
}

extension LevelTrace {
    /// One block for each level, silence a low line.
    var text: String {
        let blocks = ["▁", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
        return heights.map { blocks[min(Int($0), blocks.count - 1)] }.joined()
    }
}

extension Party {
    /// Name and address in at most `width` cells. The name is cut first; an address from its host's end; a number never.
    func fitted(to width: Int) -> String {
        let name = displayName?.text ?? ""
        let full = shown.text
        if CellWidth.of(full) <= width { return full }
        let forName = width - address.width - 3
        if !name.isEmpty, forName >= 4 { return "\(CellText.cut(name, to: forName)) <\(address)>" }
        return CellText.cut(address.text, to: width)
    }
}
