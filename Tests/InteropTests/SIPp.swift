import FoundationEssentials
import Testing

/// SIPp with one of the scenarios beside this file; it ends with 0 if its one call went as the scenario says.
struct SIPp {
    enum Transport: String { case udp = "u1", tcp = "t1" }

    let program: Program
    let port: UInt16
    private let transport: Transport
    /// The scenario as it is played, and the tone.
    private let folder: TemporaryFolder

    /// Where its called side is called.
    var uri: String { "sip:bob@127.0.0.1:\(port)" + (transport == .tcp ? ";transport=tcp" : "") }

    /// SIPp as the called side: ready to be called when this returns.
    static func callee(
        _ scenario: String, transport: Transport = .udp, at port: UInt16 = Ports.take(),
        with values: [String: String] = [:], _ arguments: String...
    ) async throws -> SIPp {
        let sipp = try SIPp(scenario, at: port, remote: nil, transport, values, arguments)
        guard await Ports.wait(for: sipp.port, transport == .udp ? .udp : .tcp, of: sipp.program) else {
            throw Program.Failure.timedOut(name: "sipp", waitingFor: "socket", written: sipp.program.written)
        }
        return sipp
    }

    /// SIPp as the calling side.
    static func caller(
        _ scenario: String, to phone: Phone, transport: Transport = .udp, with values: [String: String] = [:],
        _ arguments: String...
    ) async throws -> SIPp {
        try SIPp(
            scenario, at: Ports.take(), remote: "127.0.0.1:\(try await phone.port)", transport, values, arguments)
    }

    private init(
        _ scenario: String, at port: UInt16, remote: String?, _ transport: Transport, _ values: [String: String],
        _ arguments: [String]
    ) throws {
        folder = try TemporaryFolder()
        (self.port, self.transport) = (port, transport)
        var values = values
        values["tone"] = try folder.write(MuLawTone.second, as: "tone.ulaw")
        let text = try Self.scenario(scenario, with: values)
        program = try Self.start(text, in: folder, at: port, remote: remote, transport, bound: "30s", arguments)
    }

    /// SIPp with a scenario that another project wrote.
    ///
    /// - Parameters:
    ///   - remote: whom it calls, or as the called side who calls it, for scenarios that say so.
    ///   - bound: when it gives up.
    init(
        playing foreign: ForeignScenario, at port: UInt16, remote: String?, values: [String: String],
        bound: String = "30s", _ arguments: [String] = []
    ) throws {
        folder = try TemporaryFolder()
        (self.port, transport) = (port, .udp)
        let fields = try folder.write(Array("SEQUENTIAL\nphone;phone;phone;\n".utf8), as: "fields.csv")
        let text = try foreign.text(with: values)
        let words = foreign.options.map { $0 == "FIELDS" ? fields : $0 } + arguments
        program = try Self.start(text, in: folder, at: port, remote: remote, .udp, bound: bound, words)
    }

    private static func start(
        _ text: String, in folder: TemporaryFolder, at port: UInt16, remote: String?, _ transport: Transport,
        bound: String, _ arguments: [String]
    ) throws -> Program {
        let path = try Peer.require("sipp")
        let file = try folder.write(Array(text.utf8), as: "scenario.xml")
        var words = [path, "-sf", file, "-i", "127.0.0.1", "-p", "\(port)"]
        words += ["-mi", "127.0.0.1", "-mp", "\(Ports.take())", "-cp", "\(Ports.take())"]
        words += ["-t", transport.rawValue, "-m", "1", "-nostdin", "-timeout", bound, "-timeout_error"]
        words += ["-trace_err", "-error_file", "/dev/stderr"]
        words += arguments
        if let remote { words.append(remote) }
        return try Program(words)
    }

    /// Waits for the end of the scenario, which must have gone as written.
    func expectSuccess(
        within bound: Duration = .seconds(20), _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let status = try await program.end(within: bound)
        #expect(status == 0, "\(program.written)", sourceLocation: location)
    }

    /// A scenario's text with `{name}` replaced by its value: SIPp has no variables where these stand.
    private static func scenario(_ name: String, with values: [String: String]) throws -> String {
        let here = #filePath.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" }
        let data = try Data(contentsOf: URL(filePath: "\(here)/Scenarios/\(name).xml"))
        return values.reduce(String(decoding: data, as: UTF8.self)) { text, value in
            text.replacing("{\(value.key)}", with: value.value)
        }
    }
}
