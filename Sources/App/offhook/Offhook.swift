import ArgumentParser
import OffhookApp

@main
struct Offhook: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "offhook",
        abstract: "A SIP softphone that lives in a terminal.",
        discussion: """
            Without a command: the full-screen phone.

            Examples:
              offhook loopback                                two phones in one process, a verdict on their audio
              offhook call sip:bob@192.0.2.7 --play hello.wav --then hangup
              offhook answer --echo --once --json
              offhook options sip:pbx.example.com
              offhook message sip:bob@192.0.2.7 hello

            Exit status: 0 done; 10 no answer; 11 busy; 12 declined; 13 not found; 14 authentication failed;
            15 registration failed; 16 no common media; 17 server failure; 18 redirected; 19 other refusal;
            20 expectation failed; 21 no media; 30 network; 31 audio device; 64 usage; 65 bad input file;
            70 internal error; 74 results could not be written; 78 configuration; 128+n ended by signal n.
            """,
        version: OffhookVersion.text,
        subcommands: [
            PhoneCommand.self, CallCommand.self, AnswerCommand.self, LoopbackCommand.self, RegisterCommand.self,
            OptionsCommand.self, MessageCommand.self, SubscribeCommand.self, RequestCommand.self, DevicesCommand.self,
            ParseCommand.self,
        ],
        defaultSubcommand: PhoneCommand.self)

    static func main() {
        StandardStreams.occupyClosed()
        do {
            var command = try parseAsRoot()
            try command.run()
            StandardStreams.leave(with: ExitStatus.success.code)
        } catch {
            leave(because: error)
        }
    }

    /// Help and version are results too, which a full disk may not take.
    private static func leave(because error: any Error) -> Never {
        // A command that ended with a status has said why.
        if let code = error as? ExitCode { StandardStreams.leave(with: code.rawValue) }
        let names = configuration.subcommands.compactMap { $0.configuration.commandName }
        let arguments = Array(CommandLine.arguments.dropFirst())
        var fault = UsageFault.line(ofHelp: arguments, commands: names)
        if exitCode(for: error) == .validationFailure {
            fault = UsageFault.line(message(for: error), arguments: arguments, commands: names)
        }
        if let fault {
            StandardStreams.complain(fault)
            StandardStreams.leave(with: ExitCode.validationFailure.rawValue)
        }
        guard exitCode(for: error) == .success else { exit(withError: error) }
        StandardStreams.print(fullMessage(for: error))
        StandardStreams.leave(with: StandardStreams.result(of: .success).code)
    }
}

extension ParsableCommand {
    /// Leaves with the status of the contract; ArgumentParser keeps 0 and 64 to itself.
    func leave(with status: ExitStatus) throws {
        throw ExitCode(StandardStreams.result(of: status).code)
    }
}
