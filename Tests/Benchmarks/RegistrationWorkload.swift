import EngineKit
import SDP
import SIPMessages
import SIPTransactions
import SIPUserAgent

extension Workload {
    /// Registrations refreshed in virtual time by one user agent, each REGISTER written, parsed and answered: what one
    /// costs with few accounts and with many, in the first tenth of the run and in the last. Nothing may gather.
    static var registrations: Workload {
        Workload(name: "registrations", usage: "[COUNT]") { arguments in
            let count = arguments.first.flatMap { Int($0) } ?? 100_000
            for accounts in [1, 100, 1000] {
                guard var run = RegistrationRun(accounts: accounts) else { continue }
                run.refresh(count / 10)
                let first = run.nanoseconds(refreshing: count / 10)
                run.refresh(max(0, count - 3 * (count / 10)))
                let last = run.nanoseconds(refreshing: count / 10)
                print(
                    #"{"name":"registrations","accounts":\#(accounts),"count":\#(run.answered),"#
                        + #""first_ns":\#(first),"last_ns":\#(last),"failed":\#(run.failed),"#
                        + #""left_over":\#(run.leftOver)}"#)
            }
        }
    }
}

/// A user agent and a registrar that grants ten minutes, by function calls.
private struct RegistrationRun {
    private var core: UserAgentCore
    private var now = Instant.zero
    private(set) var answered = 0
    private(set) var failed = 0
    private let local = SocketAddress(.v4(0xc000_0201), port: 5060)
    private let registrar = SocketAddress(.v4(0xc000_0202), port: 5060)

    init?(accounts count: Int) {
        guard let uri = try? URI(parsing: "sip:192.0.2.2") else { return nil }
        let accounts = (0..<count).map { index in
            let address = SIPURI(user: "user\(index)", host: .address(.v4(0xc000_0202)))
            return Account(
                id: AccountID(rawValue: UInt32(index)), name: "account \(index)",
                address: NameAddress(uri: .sip(address)), registrar: uri)
        }
        var configuration = UserAgentConfiguration(
            accounts: accounts, capabilities: LocalMedia(rtpPort: 16_384), limits: .open(calls: 8))
        configuration.instance = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
        core = UserAgentCore(configuration: configuration, random: RandomSource(seed: 1))
        core.receive(.listening([Listener(transport: .udp, address: local)]), at: now)
        for account in accounts {
            core.perform(.register(account.id), at: now)
            settle()
        }
    }

    /// Transactions and requests, once those of the last refresh are over; deadlines are those of the bindings.
    var leftOver: Int {
        let occupancy = core.occupancy
        return occupancy.requests + occupancy.questions
    }

    mutating func nanoseconds(refreshing count: Int) -> Int {
        let start = threadNanoseconds()
        refresh(count)
        return (threadNanoseconds() - start) / max(1, count)
    }

    /// Lets time pass until so many more REGISTERs were answered.
    mutating func refresh(_ count: Int) {
        let end = answered + count
        while answered < end, let deadline = core.deadline {
            now = max(now, deadline)
            core.handleDeadline(at: now)
            settle()
        }
    }

    private mutating func settle() {
        while let output = core.nextOutput() {
            switch output {
            case .resolve(let id, _):
                let destination = Destination(transport: .udp, remote: registrar, local: local)
                core.receive(.resolved(id, [destination]), at: now)
            case .transmit(let transmit): answer(transmit)
            case .event(.registration(_, .failed)): failed += 1
            case .event, .serverFailed, .abandon: break
            }
        }
    }

    private mutating func answer(_ transmit: Transmit) {
        guard case .request(let request)? = try? MessageParser.parse(transmit.bytes) else { return }
        var response = request.response(200, toTag: "r")
        let contact = request.headers.first(.contact) ?? ""
        try? response.headers.set(.contact, "\(contact);expires=600")
        answered += 1
        core.receive(.received(response.bytes(), over: transmit.flow), at: now)
    }
}
