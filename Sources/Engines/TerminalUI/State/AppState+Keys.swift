import EngineKit

extension AppState {
    /// Takes one key and returns what the person wants of the phone.
    package mutating func receive(_ key: Key, at now: Instant) -> [UserCommand] {
        handleDeadline(at: now)
        notice = nil
        if case .paste(let text) = key { return paste(text, at: now) }
        if question != nil { return binding(for: key, in: .question).map { perform($0.action, key, at: now) } ?? [] }
        if line != nil { return receiveAndTell(key, at: now) }
        for scope in openScopes {
            if let binding = binding(for: key, in: scope) { return perform(binding.action, key, at: now) }
        }
        return []
    }

    /// The scopes whose keys count while neither a question nor a line has the focus, first come first: a box lies over
    /// the page, and its keys before the page's.
    var openScopes: [Scope] {
        var scopes: [Scope] = []
        if !ringingCalls.isEmpty { scopes.append(.incoming) }
        if transferringCall != nil { scopes.append(.transfer) }
        if page != nil { scopes.append(.page) }
        return scopes + [.phone]
    }

    private func binding(for key: Key, in scope: Scope) -> Binding? {
        Binding.forKey(key, in: scope)
    }

    /// A key in a line. Whom the command line writes to hears that something is being written.
    private mutating func receiveAndTell(_ key: Key, at now: Instant) -> [UserCommand] {
        let (before, text) = (writtenTo, commandLine.text)
        let commands = receiveInLine(key, at: now)
        if let after = writtenTo {
            let given: [UserCommand] = before.map { $0 == after ? [] : [.composing(target: $0, isActive: false)] } ?? []
            return commands + given + (commandLine.text == text ? [] : [.composing(target: after, isActive: true)])
        }
        guard let before, commands.isEmpty else { return commands }
        return [.composing(target: before, isActive: false)]
    }

    private mutating func receiveInLine(_ key: Key, at now: Instant) -> [UserCommand] {
        completions = []
        if let binding = binding(for: key, in: .line) { return perform(binding.action, key, at: now) }
        guard case .character(let character) = key else { return [] }
        if line == .callNumber {
            guard character.isASCII, character.isNumber else { return [] }
            callNumberLine.insert(String(character))
            return commitCallNumberIfUnambiguous(at: now)
        }
        editFocusedLine { $0.insert(String(character)) }
        return []
    }

    /// Pasted text goes into the line that has the focus, else into the dial line; it never acts as keys, so that a
    /// letter of an address can't hang up.
    private mutating func paste(_ text: String, at now: Instant) -> [UserCommand] {
        guard question == nil, line != .callNumber else { return [] }
        if line == nil { line = .dial }
        var whole = true
        editFocusedLine { whole = $0.insert(text) }
        if !whole { show("the line is full: the end of what was pasted is left out", .warning, at: now) }
        return []
    }

    mutating func editFocusedLine(_ body: (inout LineEditor) -> Void) {
        switch line {
        case .dial: body(&dialLine)
        case .command: body(&commandLine)
        case .callNumber: body(&callNumberLine)
        case .transfer: body(&transferLine)
        case .noTransfer, nil: break
        }
    }

    var focusedLine: LineEditor? {
        switch line {
        case .dial: dialLine
        case .command: commandLine
        case .callNumber: callNumberLine
        case .transfer: transferLine
        case .noTransfer, nil: nil
        }
    }

    mutating func open(_ kind: LineKind, with text: String = "") {
        line = kind
        completions = []
        editFocusedLine { $0.replace(with: text) }
    }

    /// Drops the focus; what was typed is forgotten, lest a later digit be added to it.
    mutating func leaveLine() {
        editFocusedLine { $0.cancel() }
        line = nil
        completions = []
    }

    mutating func commitLine(at now: Instant) -> [UserCommand] {
        let kind = line
        var text = ""
        editFocusedLine { text = $0.commit() }
        line = nil
        completions = []
        switch kind {
        case .dial: return dial(text, at: now)
        case .command: return perform(commandText: text, at: now)
        case .callNumber:
            select(text, at: now)
            return []
        case .transfer(let call): return transfer(call, to: text, at: now)
        case .noTransfer, nil: return []
        }
    }

    /// Selects as soon as no further digit could name another call.
    private mutating func commitCallNumberIfUnambiguous(at now: Instant) -> [UserCommand] {
        let typed = callNumberLine.text
        let longer = calls.contains { String($0.number).count > typed.count && String($0.number).hasPrefix(typed) }
        return longer ? [] : commitLine(at: now)
    }
}
