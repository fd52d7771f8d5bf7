import FoundationEssentials
import Glibc
import Testing

/// Kamailio as registrar and proxy that asks for credentials; the password of all its users stands in its configuration.
struct Kamailio {
    let program: Program
    let port: UInt16
    private let folder: TemporaryFolder

    static let realm = "interop.example"
    static let password = "wonderland"

    /// Ready to be asked when this returns. Ends by itself after a minute, should the test be killed.
    ///
    /// - Parameters:
    ///   - port: where to listen; nil: where nobody does.
    ///   - wrapper: the words of a command that runs the one after it, as `ip netns exec NAME` does.
    ///   - keepsFlows: whether it does what RFC 5626 and RFC 5627 say, and answers keep-alives.
    ///   - servesPresence: whether it takes PUBLISH and SUBSCRIBE.
    init(
        at address: String = "127.0.0.1", port: UInt16? = nil, through wrapper: [String] = [], keepsFlows: Bool = false,
        servesPresence: Bool = false
    ) async throws {
        let path = try Peer.require("kamailio")
        let port = port ?? Ports.take()
        self.port = port
        folder = try TemporaryFolder()
        let presence = servesPresence ? try Self.presence(in: folder, server: "sip:\(address):\(port)") : ""
        let modules = (keepsFlows ? Self.flowModules : "") + presence
        let text = Self.configuration(address: address, port: port, modules: modules, servesPresence: servesPresence)
        let file = try folder.write(Array(text.utf8), as: "kamailio.cfg")
        program = try Program(
            wrapper + [
                "timeout", "60", path, "-f", file, "-DD", "-E", "-m", "16", "-M", "4", "-n", "2", "-N", "1", "-Y",
                folder.path, "-w", folder.path,
            ])
        guard await Ports.wait(for: port, .udp, of: program) else {
            throw Program.Failure.timedOut(name: "kamailio", waitingFor: "socket", written: program.written)
        }
    }

    /// Ends it and its children.
    func stop() async throws {
        program.signal(15)
        _ = try await program.end()
    }

    private static let folders = ["x86_64-linux-gnu", "aarch64-linux-gnu"].map { "/usr/lib/\($0)/kamailio/modules/" }

    static func hasModule(_ name: String) -> Bool {
        folders.contains { access("\($0)\(name).so", R_OK) == 0 }
    }

    private static let flowModules = """
        loadmodule "stun.so"
        loadmodule "outbound.so"
        modparam("registrar", "outbound_mode", 1)
        modparam("registrar", "gruu_enabled", 1)
        """

    private static let tables = "/usr/share/kamailio/dbtext/kamailio"

    /// The presence modules, and a folder of the tables that they keep.
    private static func presence(in folder: TemporaryFolder, server: String) throws -> String {
        for name in ["version", "presentity", "active_watchers", "watchers", "xcap"] {
            _ = try folder.write(Array(Data(contentsOf: URL(filePath: "\(tables)/\(name)"))), as: name)
        }
        return """
            loadmodule "db_text.so"
            loadmodule "presence.so"
            loadmodule "presence_xml.so"
            modparam("presence|presence_xml", "db_url", "text://\(folder.path)")
            modparam("presence_xml", "force_active", 1)
            modparam("presence", "subs_db_mode", 0)
            modparam("presence", "server_address", "\(server)")
            """
    }

    /// Every user has the one password, in memory; who calls is asked for it as well as who registers.
    private static func configuration(
        address: String, port: UInt16, modules: String, servesPresence: Bool
    ) -> String {
        """
        listen=udp:\(address):\(port)
        listen=tcp:\(address):\(port)
        children=2
        tcp_children=1
        disable_tcp=no
        log_stderror=yes
        log_name="kamailio"
        auto_aliases=no
        dns=no
        rev_dns=no
        mpath="\(folders.joined(separator: ":"))"
        loadmodule "tm.so"
        loadmodule "sl.so"
        loadmodule "rr.so"
        loadmodule "pv.so"
        loadmodule "maxfwd.so"
        loadmodule "textops.so"
        loadmodule "siputils.so"
        loadmodule "usrloc.so"
        loadmodule "registrar.so"
        loadmodule "auth.so"
        \(modules)
        modparam("usrloc", "db_mode", 0)
        modparam("registrar", "min_expires", 60)
        modparam("auth", "nonce_expire", 60)
        modparam("auth", "qop", "auth")

        request_route {
            if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
            \(servesPresence ? "if (is_method(\"PUBLISH\")) { handle_publish(); exit; }" : "")
            \(servesPresence ? "if (is_method(\"SUBSCRIBE\")) { handle_subscribe(); exit; }" : "")
            if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
            if (has_totag()) {
                if (loose_route()) {
                    if (is_gruu()) lookup("location");
                    t_relay();
                    exit;
                }
                if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
                sl_send_reply("404", "Not here");
                exit;
            }
            t_check_trans();
            if (is_method("REGISTER")) {
                if (!pv_www_authenticate("\(realm)", "\(password)", "0")) {
                    www_challenge("\(realm)", "1");
                    exit;
                }
                consume_credentials();
                save("location");
                exit;
            }
            if (is_method("INVITE")) {
                if (!pv_proxy_authenticate("\(realm)", "\(password)", "0")) {
                    proxy_challenge("\(realm)", "1");
                    exit;
                }
                consume_credentials();
                record_route();
            }
            if (!lookup("location")) { sl_send_reply("404", "Not Found"); exit; }
            t_relay();
        }

        """
    }
}
