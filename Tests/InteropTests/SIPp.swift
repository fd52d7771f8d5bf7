import FoundationEssentials
import Testing

/// SIPp with one of the scenarios beside this file; it ends with 0 if its one call went as the scenario says.
struct SIPp {
    enum Transport: String { case udp = "u1", tcp = "t1" }

    let program: Program
    let port: UInt16
    /// The scenario as it is played, and the tone.
    private let folder: TemporaryFolder

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
        let path = try Peer.require("sipp")
        self.port = port
        folder = try TemporaryFolder()
        var values = values
        values["tone"] = try folder.write(MuLawTone.second, as: "tone.ulaw")
        let text = try Self.scenario(scenario, with: values)
        let file = try folder.write(Array(text.utf8), as: "\(scenario).xml")
        var words = [path, "-sf", file, "-i", "127.0.0.1", "-p", "\(port)"]
        words += ["-mi", "127.0.0.1", "-mp", "\(Ports.take())", "-cp", "\(Ports.take())"]
        words += ["-t", transport.rawValue, "-m", "1", "-nostdin", "-timeout", "30s", "-timeout_error"]
        words += ["-trace_err", "-error_file", "/dev/stderr"]
        words += arguments
        if let remote { words.append(remote) }
        program = try Program(words)
    }

    /// Waits for the end of the scenario, which must have gone as written.
    func expectSuccess(_ location: SourceLocation = #_sourceLocation) async throws {
        let status = try await program.end()
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
