import EngineKit
import SIPMessages
import SIPRuntime
import Testing

struct ListenAddressTests {
    @Test(arguments: [
        ("127.0.0.1:0", "127.0.0.1:0", [Transport.udp, .tcp]),
        ("192.0.2.1", "192.0.2.1:5060", [.udp, .tcp]),
        ("[2001:db8::1]:5070", "[2001:db8::1]:5070", [.udp, .tcp]),
        ("[::1]", "[::1]:5060", [.udp, .tcp]),
        ("::", "[::]:5060", [.udp, .tcp]),
        ("0.0.0.0:5080;transport=tcp", "0.0.0.0:5080", [.tcp]),
        ("0.0.0.0:5080;transport=UDP", "0.0.0.0:5080", [.udp]),
    ])
    func readsAddressPortAndTransport(text: String, address: String, transports: [Transport]) throws {
        let listen = try #require(ListenAddress(text))
        #expect(listen.address.description == address)
        #expect(listen.transports == transports)
        #expect(!listen.mayUseNextPort)
    }

    @Test(arguments: [
        "", ":", "localhost:5060", "127.0.0.1:", "127.0.0.1:65536", "1.2.3:5", "[::1", "::1:5060:", "127.0.0.1:5060;",
        "127.0.0.1:5060;transport=tls", "127.0.0.1:5060;transport=udp;x", "127.0.0.1:5060;ttl=1",
    ])
    func refusesWhatItCannotBind(text: String) {
        #expect(ListenAddress(text) == nil)
    }
}
