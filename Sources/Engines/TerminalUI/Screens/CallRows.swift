import EngineKit

extension AppState {
    func callsHeight(_ layout: Layout) -> Int {
        layout.callsHeight(wanted: calls.reduce(0) { $0 + rowCount(of: $1, layout) })
    }

    private func rowCount(of call: CallLine, _ layout: Layout) -> Int {
        layout.hasAllMeters || call.reference == selection ? call.rowCount : 1
    }

    /// The rows of the calls, under the header; returns the row after the rule below them.
    func drawCalls(into canvas: inout Canvas, at now: Instant) -> Int {
        let layout = canvas.layout
        let top = layout.firstCallRow
        if layout.hasTitles { canvas.put(" CALLS", column: 0, row: layout.top, style: .quiet) }
        let heights = calls.map { rowCount(of: $0, layout) }
        let height = callsHeight(layout)
        if calls.isEmpty {
            let column = layout.isNarrow ? 1 : 6
            let lesson = CellText.cut("No call. Type a number or press d to dial.", to: canvas.columns - column)
            canvas.put(lesson, column: column, row: top, style: .quiet)
            canvas.put("What calls you shows up here.", column: column, row: top + 1, style: .quiet)
        }
        // Where not all fit, the view begins so that the selected call is the last at worst.
        var first = 0
        if let selected = calls.firstIndex(where: { $0.reference == selection }) {
            while first < selected, heights[first...selected].reduce(0, +) > height { first += 1 }
        }
        var row = top
        var shown = 0
        for (call, rows) in zip(calls, heights).dropFirst(first) {
            guard row + rows <= top + height else { break }
            canvas.put(
                call.row(width: canvas.columns, isSelected: call.reference == selection, at: now), column: 0, row: row)
            if rows > 1 {
                let column = layout.isNarrow ? 3 : 6
                canvas.put(call.meters(width: canvas.columns - column), column: column, row: row + 1)
            }
            row += rows
            shown += 1
        }
        let hidden = calls.count - shown
        var remarks: [String] = []
        let hearing = hearingCalls
        if hearing.count > 1, !hearing.allSatisfy(\.isInConference) {
            remarks.append("\(hearing.count) hear you at once: x holds one")
        }
        if hidden > 0 { remarks.append("\(hidden) more: [ ] select") }
        canvas.rule(row: top + height)
        if !remarks.isEmpty {
            // Without a title the rule has room for it.
            let row = layout.hasTitles ? layout.top : top + height
            let text = CellText.cut(remarks.joined(separator: "  "), to: canvas.columns - 10)
            canvas.put(" \(text) ", column: 7, row: row, style: .waiting)
        }
        return top + height + 1
    }
}

extension CallLine {
    /// A call that was answered has its meters on a second row, and keeps it on hold and after its end, lest the calls
    /// below it jump.
    var rowCount: Int { isEstablished || duration != nil ? 2 : 1 }

    /// Where the columns of a call's row stand. With less room the bit rate goes first, then the codec, then the end of
    /// a long state; on a wide screen the state stays near the name.
    private struct Columns {
        let hasRate: Bool
        let hasCodec: Bool
        let stateWidth: Int
        let state: Int

        init(width: Int) {
            hasRate = width >= 72
            hasCodec = width >= 64
            stateWidth = width >= 56 ? 20 : 14
            let mute = 5
            state = min(width - stateWidth - 1 - (hasCodec ? 11 : 0) - (hasRate ? 5 : 0) - mute, 56)
        }
    }

    func row(width: Int, isSelected: Bool, at now: Instant) -> StyledText {
        let columns = Columns(width: width)
        let stateColumn = columns.state
        var text = StyledText(isSelected ? " ▶ " : "   ", .bright)
        let weight: Style = isTalking ? .bright : .plain
        // Numbers go on, and none is ever cut.
        text.append("\(number)", isSelected ? .bright : weight)
        text.pad(to: 6)
        text.append(peer.fitted(to: stateColumn - text.width - 1), weight)
        text.pad(to: stateColumn)
        // Why a call came to nothing may take the place of the codec that it never had.
        let hasMedia = isLive || media != nil
        let stateWidth = columns.stateWidth + (columns.hasCodec || isMuted ? 0 : 5)
        text.append(stateText(at: now, width: hasMedia ? stateWidth : width - stateColumn - 1), stateStyle)
        guard hasMedia else { return text }
        var column = stateColumn + columns.stateWidth + 1
        if columns.hasCodec {
            text.pad(to: column)
            text.append(CellText.fitted(media?.codec.text ?? "", to: 10))
            column += 11
        }
        if columns.hasRate {
            text.pad(to: column)
            let rate = quality?.kilobitsPerSecond.map { Figure.rounded($0) + "k" } ?? ""
            text.append(CellText.fittedRight(isTalking ? rate : "", to: 4))
            column += 5
        }
        if isMuted, isLive {
            text.pad(to: column)
            text.append("MUTE", .waiting)
        }
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
        if isToBeHeld, isEstablished { return "holding" }
        switch state {
        case .calling: return "calling"
        case .ringing: return "ringing"
        case .earlyMedia: return "early media"
        case .incoming(let isSilenced): return isSilenced ? "ignored" : "incoming"
        case .ended(let end): return end.cause.text
        case .established: break
        }
        switch holdState {
        case .none: return isInConference ? "conference" : "up"
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
    /// Where nothing is spoken the same figures stand in the same places, and nothing of it is bright. In fewer cells
    /// than all take, the buffer goes first, then the round trip, the jitter and the loss.
    func meters(width: Int) -> StyledText {
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
        // The score has its room also while it is unknown.
        let room = width - 26
        func add(_ name: String, _ value: String?, cells: Int, from least: Int, _ style: Style = .plain) {
            guard room >= least else { return }
            text.append("  \(name) ", .quiet)
            text.append(CellText.fittedRight(value ?? "-", to: cells), isTalking ? style : .quiet)
        }
        let loss = quality.lossPercent
        add("loss", loss.map { Figure.tenths($0) + "%" }, cells: 5, from: 21, (loss ?? 0) >= 3 ? .urgent : .bright)
        add("jit", quality.jitterMilliseconds.map(Figure.rounded), cells: 3, from: 30)
        add("buf", quality.bufferMilliseconds.map(Figure.rounded), cells: 3, from: 48)
        add("rtt", quality.roundTripMilliseconds.map(Figure.rounded), cells: 3, from: 39)
        if let score = quality.meanOpinionScore { add("MOS", Figure.tenths(score), cells: 3, from: 9, .bright) }
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
