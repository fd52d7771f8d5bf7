import EngineKit

extension AppState {
    /// Does what the command line says: a name or an unambiguous beginning of one, then its argument.
    mutating func perform(commandText: String, at now: Instant) -> [UserCommand] {
        let words = commandText.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        guard let name = words.first else { return [] }
        var argument = words.count > 1 ? words[1] : ""
        while argument.first == " " { argument.removeFirst() }
        switch Self.command(named: name.lowercased()) {
        case .found(let binding): return perform(binding, String(argument), at: now)
        case .unknown: return refuse("there is no command \(String(name)): TAB lists them", at: now)
        case .ambiguous(let names):
            return refuse("\(String(name)) could be \(names.joined(separator: ", "))", at: now)
        }
    }

    private enum Lookup {
        case found(Binding), unknown, ambiguous([String])
    }

    private static func command(named name: String) -> Lookup {
        if let exact = Binding.table.first(where: { $0.names.contains(name) }) { return .found(exact) }
        let candidates = Binding.table.filter { binding in binding.names.contains { $0.hasPrefix(name) } }
        if candidates.count == 1 { return .found(candidates[0]) }
        return candidates.isEmpty ? .unknown : .ambiguous(candidates.compactMap(\.names.first))
    }

    private mutating func perform(_ binding: Binding, _ argument: String, at now: Instant) -> [UserCommand] {
        guard !argument.isEmpty else { return perform(binding.action, at: now) }
        switch binding.action {
        case .dial: return dial(argument, at: now)
        case .options: return [.options(target: argument)]
        case .message: return message(argument, at: now)
        case .selectCall:
            select(argument, at: now)
            return []
        case .register, .unregister, .account: return perform(binding.action, account: argument, at: now)
        case .digits: return send(digits: argument, at: now)
        case .transfer:
            guard let call = selectedCall, call.isEstablished else { return refuse("no call is up", at: now) }
            return transfer(call.reference, to: argument, at: now)
        case .connect, .conference:
            guard let other = calls.first(where: { String($0.number) == argument }) else {
                return refuse("there is no call \(argument)", at: now)
            }
            return binding.action == .connect ? connect(to: other, at: now) : confer(with: other, at: now)
        case .reject:
            guard let status = Int(argument), (400...699).contains(status) else {
                return refuse("a refusal has a status from 400 to 699", at: now)
            }
            return perform(onRinging: .reject, status: status, at: now)
        case .answer, .hangUp, .hold, .resume, .mute, .unmute:
            guard let call = calls.first(where: { String($0.number) == argument }), call.isLive else {
                return refuse("there is no call \(argument)", at: now)
            }
            guard binding.action == .answer else { return perform(binding.action, on: call, byKey: false, at: now) }
            guard call.isIncoming else { return refuse("call \(argument) is not ringing here", at: now) }
            return perform(.answer, onRinging: call)
        default: return refuse("\(binding.names.first ?? binding.title) takes no argument", at: now)
        }
    }

    private mutating func perform(_ action: Action, account name: String, at now: Instant) -> [UserCommand] {
        guard let account = accounts.first(where: { $0.name.text == name }) else {
            return refuse("there is no account \(name): r lists them", at: now)
        }
        switch action {
        case .register: return [.register(account: account.name.text)]
        case .unregister: return [.unregister(account: account.name.text)]
        default:
            dialAccount = account.name
            show("calls go out from \(account.name)", at: now)
            return []
        }
    }

    /// Whom the command line holds a message for that has begun.
    var writtenTo: String? {
        guard line == .command else { return nil }
        let words = commandLine.text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        guard words.count == 2, case .found(let binding) = Self.command(named: words[0].lowercased()),
            binding.action == .message, let target = addressed(in: String(words[1]))?.target
        else { return nil }
        return target == "." ? lastWriter : target
    }

    /// `TARGET TEXT`; the full stop stands for whoever wrote last.
    private mutating func message(_ argument: String, at now: Instant) -> [UserCommand] {
        guard let (target, text) = addressed(in: argument) else { return refuse("it needs whom and what", at: now) }
        guard target == "." else { return [.message(target: target, text: text)] }
        guard let lastWriter else { return refuse("nobody has written yet", at: now) }
        return [.message(target: lastWriter, text: text)]
    }

    /// Whom a text is for: a contact by its whole name, the longest that fits, else the first word. Of "Bob Smith" and a
    /// text for him nothing may go to "Bob".
    private func addressed(in argument: String) -> (target: String, text: String)? {
        let argument = argument.drop { $0 == " " }
        let name = contacts.compactMap(\.name?.text).filter { name in
            argument.prefix(name.count).lowercased() == name.lowercased()
                && argument.dropFirst(name.count).first == " "
        }.max { $0.count < $1.count }
        let target = name ?? String(argument.prefix { $0 != " " })
        let text = argument.dropFirst(target.count).drop { $0 == " " }
        return target.isEmpty || text.isEmpty ? nil : (target, String(text))
    }

    private mutating func send(digits: String, at now: Instant) -> [UserCommand] {
        let digits = digits.filter { $0 != " " }.uppercased()
        guard digits.allSatisfy({ "0123456789*#ABCD".contains($0) }) else {
            return refuse("digits are 0-9, *, # and A-D", at: now)
        }
        guard let call = selectedCall, call.isTalking else { return refuse("no call takes digits now", at: now) }
        return [.sendDigits(call.reference, digits)]
    }
}

extension AppState {
    /// Completes a command's name, an account's, or an earlier target, and lists what could follow.
    mutating func complete() {
        switch line {
        case .dial:
            if let target = target(beginning: dialLine) { dialLine.replace(with: target) }
        case .transfer:
            if let target = target(beginning: transferLine) { transferLine.replace(with: target) }
        case .command: completeCommand()
        case .noTransfer, .callNumber, nil: break
        }
    }

    /// Whom a line may be about to name: a contact, or who was named in it before.
    func target(beginning line: LineEditor) -> String? {
        guard !line.isEmpty else { return nil }
        return contact(beginning: line.text) ?? line.remembered(beginning: line.text)
    }

    private func contact(beginning prefix: String) -> String? {
        contacts.lazy.compactMap(\.name?.text).first { name in
            name.lowercased().hasPrefix(prefix.lowercased()) && name != prefix
        }
    }

    private mutating func completeCommand() {
        let text = commandLine.text
        let words = text.split(separator: " ", omittingEmptySubsequences: true)
        guard let name = words.first, text.contains(" ") else {
            let names = Binding.table.flatMap(\.names).filter { $0.hasPrefix(text) && $0 != "q" }.sorted()
            return complete(beginning: "", with: names)
        }
        guard case .found(let binding) = Self.command(named: name.lowercased()) else { return }
        switch binding.action {
        case .register, .unregister, .account:
            let typed = words.count > 1 ? words[1] : ""
            complete(beginning: "\(name) ", with: accounts.map(\.name.text).filter { $0.hasPrefix(typed) })
        case .dial, .options, .message, .transfer:
            let typed = text.dropFirst(name.count).drop { $0 == " " }
            guard !typed.isEmpty, let contact = contact(beginning: String(typed)) else { return }
            complete(beginning: "\(name) ", with: [contact])
        default: break
        }
    }

    /// Extends the line to what all candidates share; lists them if they are several.
    private mutating func complete(beginning: String, with candidates: [String]) {
        guard var shared = candidates.first else { return }
        for candidate in candidates { while !candidate.hasPrefix(shared) { shared.removeLast() } }
        commandLine.replace(with: beginning + shared + (candidates.count == 1 ? " " : ""))
        completions = candidates.count == 1 ? [] : candidates
    }
}
