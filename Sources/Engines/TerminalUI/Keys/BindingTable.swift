extension Binding {
    /// Every key and every command. The keys are those that the terminal phones before this one agree on.
    package static let table: [Binding] = phone + incoming + transfers + pages + questions + lines

    private static let phone: [Binding] = [
        Binding(
            .dial, keys: [.character("d"), .character("+")], names: ["dial", "call", "invite"], argument: "TARGET",
            title: "dial", help: "Call a URI, user@host or number; digits start it too"),
        Binding(.redial, names: ["redial"], title: "redial", help: "Call the last target again"),
        Binding(
            .answer, keys: [.character("a")], names: ["answer", "accept"], argument: "[CALL]", title: "answer",
            help: "Answer the ringing call"),
        Binding(
            .hangUp, keys: [.character("b"), .character("h")], names: ["hangup", "bye", "terminate"],
            argument: "[CALL]", title: "hang up", help: "End the selected call at once, also while it rings"),
        Binding(.hangUpAll, names: ["hangupall"], title: "hang up all", help: "End all calls, after a question"),
        Binding(
            .reject, names: ["reject", "decline"], argument: "[STATUS]", title: "reject",
            help: "Refuse the ringing call: 486, or the status given"),
        Binding(
            .hold, keys: [.character("x")], names: ["hold", "pause"], argument: "[CALL]", title: "hold",
            help: "Put the selected call on hold"),
        Binding(
            .resume, keys: [.character("X")], names: ["resume", "retrieve"], argument: "[CALL]", title: "resume",
            help: "Take the selected call off hold"),
        Binding(
            .transfer, keys: [.character("t")], names: ["transfer", "refer", "xfer"], argument: "TARGET",
            title: "transfer", help: "Have the peer call somebody in your place (blind)"),
        Binding(
            .connect, keys: [.character("T")], names: ["attended"], argument: "[CALL]", title: "connect",
            help: "Put the other call's peer through to the selected one (attended)"),
        Binding(
            .conference, names: ["conference", "merge"], argument: "[CALL]", title: "conference",
            help: "Let the other call's peer and the selected one hear each other"),
        Binding(
            .mute, keys: [.character("m")], names: ["mute"], argument: "[CALL]", title: "mute",
            help: "Mute the microphone; the key also unmutes"),
        Binding(.unmute, names: ["unmute"], argument: "[CALL]", title: "unmute", help: "Unmute the microphone"),
        Binding(
            .digits, keys: "0123456789*#".map { .character($0) }, names: ["dtmf"], argument: "DIGITS",
            title: "digits", help: "Send digits in a call; without one, dial them"),
        Binding(
            .previousCall, keys: [.character("["), .up], names: ["previous"], title: "previous",
            help: "Select the call above"),
        Binding(
            .nextCall, keys: [.character("]"), .down], names: ["next"], title: "next", help: "Select the call below"),
        Binding(
            .selectCall, keys: [.character("@")], names: ["select", "line"], argument: "CALL", title: "select",
            help: "Select a call by its number"),
        Binding(
            .listCalls, keys: [.character("l")], names: ["calls"], title: "calls", help: "Calls of now and before"),
        Binding(
            .listContacts, keys: [.character("C")], names: ["contacts"], title: "contacts",
            help: "The address book: who can be reached, and who is on the phone"),
        Binding(
            .listRegistrations, keys: [.character("r")], names: ["registrations", "accounts"], title: "accounts",
            help: "Accounts and their registration"),
        Binding(
            .callStatus, keys: [.character("c")], names: ["status"], title: "status",
            help: "Media and figures of the selected call"),
        Binding(
            .ladder, keys: [.character("L")], names: ["ladder"], title: "ladder",
            help: "SIP messages of the selected call"),
        Binding(
            .account, names: ["account"], argument: "NAME", title: "account", help: "Choose the account to call from"),
        Binding(
            .register, names: ["register"], argument: "[NAME]", title: "register", help: "Register all, or one account"),
        Binding(
            .unregister, names: ["unregister"], argument: "[NAME]", title: "unregister",
            help: "Unregister all, or one account"),
        Binding(
            .options, names: ["options"], argument: "TARGET", title: "options", help: "Ask a SIP element what it can do"
        ),
        Binding(
            .message, names: ["message", "write"], argument: "TARGET TEXT", title: "message",
            help: "Write to somebody; to . for whoever wrote last"),
        Binding(.logUp, keys: [.pageUp], title: "log up", help: "Scroll the log back"),
        Binding(.logDown, keys: [.pageDown], title: "log down", help: "Scroll the log forth"),
        Binding(
            .commandLine, keys: [.character(":"), .character("/")], title: "command",
            help: "Command line; TAB completes, an unambiguous beginning will do"),
        Binding(.redraw, keys: [.control("l")], names: ["redraw"], title: "redraw", help: "Draw the screen anew"),
        Binding(
            .suspend, keys: [.control("z")], names: ["suspend"], title: "suspend",
            help: "Back to the shell; not while a call is up"),
        Binding(
            .help, keys: [.character("?"), .function(1)], names: ["help"], title: "help", help: "This page"),
        Binding(
            .quit, keys: [.character("q"), .control("c")], names: ["quit", "exit", "q"], title: "quit",
            help: "Leave; with calls up it asks"),
    ]

    private static let incoming: [Binding] = [
        Binding(
            .answer, in: .incoming, keys: [.character("a")], title: "answer",
            help: "Answer the call; one that is up goes on, and both hear you"),
        Binding(
            .holdAndAnswer, in: .incoming, keys: [.character("H")], title: "hold current and answer",
            help: "Hold the call that is up and answer"),
        Binding(.reject, in: .incoming, keys: [.character("r")], title: "reject", help: "Refuse it as busy"),
        Binding(.ignore, in: .incoming, keys: [.character("i")], title: "ignore", help: "Stop ringing, refuse nothing"),
    ]

    private static let transfers: [Binding] = [
        Binding(
            .acceptTransfer, in: .transfer, keys: [.character("y")], title: "call them",
            help: "Call whom the peer asks you to call"),
        Binding(
            .declineTransfer, in: .transfer, keys: [.character("n")], title: "decline", help: "Tell the peer no"),
    ]

    private static let pages: [Binding] = [
        Binding(.closePage, in: .page, keys: [.escape, .character("q")], title: "close", help: "Back to the phone"),
        Binding(.lineUp, in: .page, keys: [.up], title: "up", help: "One line back"),
        Binding(.lineDown, in: .page, keys: [.down], title: "down", help: "One line on"),
        Binding(.pageUp, in: .page, keys: [.pageUp], title: "page up", help: "One page back"),
        Binding(.pageDown, in: .page, keys: [.pageDown, .character(" ")], title: "page down", help: "One page on"),
    ]

    private static let questions: [Binding] = [
        Binding(
            .confirm, in: .question, keys: [.character("y"), .character("q"), .control("c")], title: "yes",
            help: "Do it"),
        Binding(
            .decline, in: .question, keys: [.character("n"), .escape], title: "no", help: "Leave all as it is"),
    ]

    private static let lines: [Binding] = [
        Binding(.commitLine, in: .line, keys: [.enter], title: "go", help: "Dial or do what the line says"),
        Binding(
            .leaveLine, in: .line, keys: [.escape, .control("c"), .control("g")], title: "leave",
            help: "Leave the line; Esc never hangs up"),
        Binding(.complete, in: .line, keys: [.tab], title: "complete", help: "Complete a command or an earlier target"),
        Binding(.edit(.left), in: .line, keys: [.left, .control("b")], title: "left", help: "One character back"),
        Binding(.edit(.right), in: .line, keys: [.right, .control("f")], title: "right", help: "One character on"),
        Binding(.edit(.home), in: .line, keys: [.home, .control("a")], title: "start", help: "Start of the line"),
        Binding(.edit(.end), in: .line, keys: [.end, .control("e")], title: "end", help: "End of the line"),
        Binding(
            .edit(.deleteBackward), in: .line, keys: [.backspace, .control("h")], title: "delete",
            help: "Delete the character before"),
        Binding(
            .edit(.deleteForward), in: .line, keys: [.delete, .control("d")], title: "delete",
            help: "Delete the character after"),
        Binding(
            .edit(.deleteWord), in: .line, keys: [.control("w")], title: "delete word", help: "Delete the word before"),
        Binding(
            .edit(.deleteToStart), in: .line, keys: [.control("u")], title: "delete to start",
            help: "Delete all before the cursor"),
        Binding(
            .edit(.deleteToEnd), in: .line, keys: [.control("k")], title: "delete to end",
            help: "Delete all after the cursor"),
        Binding(.edit(.older), in: .line, keys: [.up, .control("p")], title: "older", help: "The line before"),
        Binding(.edit(.newer), in: .line, keys: [.down, .control("n")], title: "newer", help: "The line after"),
        Binding(.redraw, in: .line, keys: [.control("l")], title: "redraw", help: "Draw the screen anew"),
    ]
}
