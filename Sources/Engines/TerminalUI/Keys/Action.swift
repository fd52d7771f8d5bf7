/// Everything that a key or a command can ask for.
package enum Action: Hashable, Sendable {
    // Calls.
    case dial, redial, answer, holdAndAnswer, reject, ignore, hangUp, hangUpAll, hold, resume, mute, unmute, digits
    case transfer, connect, conference, acceptTransfer, declineTransfer
    case previousCall, nextCall, selectCall
    // Accounts.
    case account, register, unregister, options, message
    // What is shown.
    case listCalls, listContacts, listRegistrations, callStatus, ladder, help, logUp, logDown
    case commandLine, redraw, suspend, quit
    // Answers to a question, and moves in a page.
    case confirm, decline, closePage, pageUp, pageDown, lineUp, lineDown
    // The line that has the focus.
    case edit(Edit), complete, commitLine, leaveLine
}

/// Where a key has its meaning. A key means one thing in each.
package enum Scope: Hashable, Sendable, CaseIterable {
    /// A line has the focus: every character goes into it.
    case line
    /// A question waits for its answer.
    case question
    /// A page covers the screen; the phone's keys go on to work where the page has none of its own.
    case page
    /// A call is ringing; the phone's keys go on to work where the box has none of its own.
    case incoming
    /// The peer of a call asks us to call somebody; the phone's keys go on to work.
    case transfer
    case phone
}

/// One row of the table from which keys, commands, the bottom line and help come.
package struct Binding: Sendable {
    package let action: Action
    package let scope: Scope
    package let keys: [Key]
    /// The command's name, then its aliases; empty where only a key makes sense.
    package let names: [String]
    /// What the command takes, in help.
    package let argument: String
    /// One or two words for the bottom line.
    package let title: String
    /// One phrase for help.
    package let help: String

    init(
        _ action: Action, in scope: Scope = .phone, keys: [Key] = [], names: [String] = [], argument: String = "",
        title: String, help: String
    ) {
        self.action = action
        self.scope = scope
        self.keys = keys
        self.names = names
        self.argument = argument
        self.title = title
        self.help = help
    }

    /// What `key` means in `scope`.
    package static func forKey(_ key: Key, in scope: Scope) -> Binding? {
        byKey[scope]?[key]
    }

    /// The binding that the bottom line names.
    package static func forAction(_ action: Action, in scope: Scope) -> Binding? {
        table.first { $0.action == action && $0.scope == scope }
    }

    private static let byKey: [Scope: [Key: Binding]] = {
        var index: [Scope: [Key: Binding]] = [:]
        for binding in table {
            for key in binding.keys { index[binding.scope, default: [:]][key] = binding }
        }
        return index
    }()
}
