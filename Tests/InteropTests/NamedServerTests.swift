import Glibc
import NameServer
import Proofs
import Testing

/// Calls to a domain whose servers only the name server knows.
@Suite(.serialized, .enabled(if: Peer.isWanted("sipp"), "SIPp is not installed"))
struct NamedServerTests {
    /// What is wrong with the first server of the domain.
    enum Fault: CaseIterable {
        /// Nobody listens: ICMP says so.
        case closed
        /// Somebody listens and says nothing.
        case silent
    }

    @Test(.proves(.row(37), .clause("RFC 3263 §4.3")), arguments: Fault.allCases)
    func callsTheDomainsSecondServerWhereTheFirstIsDead(fault: Fault) async throws {
        let sipp = try await SIPp.callee("answer")
        let dead = try DeadServer(isBound: fault == .silent)
        defer { dead.close() }
        let server = try NameServer(
            Zone([
                .naptr("example.test", order: 10, service: "SIP+D2U", replacement: "_sip._udp.example.test"),
                .srv("_sip._udp.example.test", priority: 1, port: dead.port, target: "sip1.example.test"),
                .srv("_sip._udp.example.test", priority: 2, port: sipp.port, target: "sip2.example.test"),
                .a("sip1.example.test", [127, 0, 0, 1]), .a("sip2.example.test", [127, 0, 0, 1]),
            ]))
        defer { server.stop() }
        let folder = try TemporaryFolder()
        let text = "[sip]\ndns_servers = \"\(server.address)\"\n"
        let configuration = try folder.write(Array(text.utf8), as: "config.toml")
        let phone = try Phone(
            "call", "sip:alice@example.test", "--config", configuration, "--audio", "silence", "--duration", "500ms")
        #expect(try await phone.end() == 0, "\(phone.program.written)")
        #expect(try phone.events(named: "call.answered").count == 1)
        try await sipp.expectSuccess()
        #expect(
            Set(server.queries)
                == [
                    "35 example.test", "33 _sip._udp.example.test", "33 _sip._tcp.example.test",
                    "1 sip1.example.test", "1 sip2.example.test",
                ])
    }

    @Test func saysThatADomainDoesNotExist() async throws {
        let server = try NameServer(Zone())
        defer { server.stop() }
        let folder = try TemporaryFolder()
        let text = "[sip]\ndns_servers = [\"\(server.address)\"]\n"
        let configuration = try folder.write(Array(text.utf8), as: "config.toml")
        let phone = try Phone("call", "sip:alice@nowhere.test", "--config", configuration, "--audio", "silence")
        #expect(try await phone.end() == 30, "\(phone.program.written)")
        #expect(try phone.events(named: "call.ended").first?.reason == "no such host, nowhere.test")
    }
}

/// A port of UDP where no SIP is spoken.
private struct DeadServer {
    let port: UInt16
    private let descriptor: CInt

    struct NoSocket: Error {}

    init(isBound: Bool) throws {
        port = Ports.take()
        descriptor = isBound ? socket(AF_INET, CInt(SOCK_DGRAM.rawValue), 0) : -1
        guard isBound else { return }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let result = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw NoSocket() }
    }

    func close() { if descriptor >= 0 { _ = Glibc.close(descriptor) } }
}
