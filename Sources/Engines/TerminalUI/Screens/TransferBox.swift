extension AppState {
    /// A peer's wish that we call somebody else, until it is decided. Who is called pays, so the address is shown whole
    /// as far as it fits, and nothing is done without a key.
    func drawTransferBox(for call: CallLine, into canvas: inout Canvas) {
        guard let target = call.requestedTransfer else { return }
        let width = canvas.boxWidth(62)
        let inner = width - 4
        var lines = [StyledText("TRANSFER", .urgent)]
        lines.append(StyledText(CellText.cut("\(call.peer.shown) asks you to call", to: inner)))
        if let name = target.displayName, !name.isEmpty {
            lines.append(StyledText(CellText.cut(name.text, to: inner), .bright))
        }
        lines.append(StyledText(CellText.cut(target.address.text, to: inner), .bright))
        lines.append(StyledText())
        var keys = StyledText()
        if line != nil {
            keys.append(CellText.cut("Esc leaves the line, then y or n decides", to: inner), .waiting)
        } else {
            for action in [Action.acceptTransfer, .declineTransfer] {
                guard let binding = Binding.forAction(action, in: .transfer) else { continue }
                keys.append(binding.keyText, .key)
                keys.append(" \(binding.title)   ")
            }
        }
        lines.append(keys)
        canvas.box(lines, width: width)
    }
}
