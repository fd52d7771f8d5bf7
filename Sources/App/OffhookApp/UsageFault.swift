import TerminalUI

/// What is wrong with a command line, in one line that says what to do about it.
package enum UsageFault {
    /// - Parameters:
    ///   - message: what the reader of the arguments says.
    ///   - arguments: without the program's name.
    ///   - commands: the names of all commands.
    package static func line(_ message: String, arguments: [String], commands: [String]) -> String {
        let command = arguments.first.flatMap { commands.contains($0) ? $0 : nil }
        let problem = problem(message, arguments: arguments, commands: command == nil ? commands : [])
        let help = command.map { "offhook \($0) --help" } ?? "offhook --help"
        return Printable.line("offhook: \(problem); see '\(help)'", cells: 1000)
    }

    /// What is wrong with `help WORDS`; nil where it names a command or nothing, or is another command.
    ///
    /// The reader of the arguments takes any word there for a wish for help in general.
    package static func line(ofHelp arguments: [String], commands: [String]) -> String? {
        guard arguments.first == "help" else { return nil }
        let words = arguments.dropFirst().drop { commands.contains($0) || $0 == "help" }
        guard let word = words.first, !word.hasPrefix("-") else { return nil }
        return line("Unexpected argument '\(word)'", arguments: [word], commands: commands)
    }

    /// - Parameter commands: empty where one was named.
    private static func problem(_ message: String, arguments: [String], commands: [String]) -> String {
        if !commands.isEmpty, let word = arguments.first, !word.hasPrefix("-") {
            if word.contains("@") || word.contains(":") {
                return "'\(word)' is no command; to call it: offhook call '\(word)'"
            }
            let hint = nearestWord(to: word, among: commands).map { "did you mean '\($0)'?" }
            return "'\(word)' is no command; \(hint ?? "there are \(commands.joined(separator: ", "))")"
        }
        // An argument with a hyphen in front is taken for another option, as a negative number is.
        let missing = "Missing value for '"
        if message.hasPrefix(missing), let option = message.dropFirst(missing.count).split(separator: " ").first {
            let name = option.filter { $0 != "'" }
            let value = arguments.firstIndex(of: String(name)).flatMap { index in
                arguments.indices.contains(index + 1) ? arguments[index + 1] : nil
            }
            guard let value else { return "\(name): a value is expected" }
            return "\(name): a value is expected, and '\(value)' is none"
        }
        let plain = message.prefix { $0 != "\n" }
        return plain.prefix(1).lowercased() + plain.dropFirst().withoutStop
    }
}

extension Substring {
    /// Without a full stop.
    fileprivate var withoutStop: Substring { last == "." ? dropLast() : self }
}
