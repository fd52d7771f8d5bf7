import EngineKit
import Glibc
import MediaRuntime
import RTPMedia
import SIPMessages
import SIPRuntime
import SIPUserAgent
import Synchronization
import TerminalRuntime
import TerminalUI

/// Tells the screen what the phone reports, and the phone what the person wants.
final class ScreenBridge {
    private unowned let phone: Phone
    private let screen: PhoneInbox
    private var nextQuery: UInt32 = 1
    private var queries: [RequestHandle: String] = [:]
    private var ladder = LadderIndex()
    private var rates: [CallHandle: (at: Instant, octets: UInt64)] = [:]

    init(_ phone: Phone, screen: PhoneInbox) {
        self.phone = phone
        self.screen = screen
    }

    func begin() {
        let settings = phone.settings
        for account in settings.userAgent.accounts {
            let address = account.registrar == nil ? "" : Party(account.address).address.text
            screen.post(.account(AccountDescription(name: Printable(account.name), address: Printable(address))))
        }
        for contact in settings.contacts {
            let address = Printable(Party.withoutScheme(contact.address.description))
            screen.post(.contact(Party(displayName: Printable(contact.name), address: address)))
        }
        // The phone holds these closures, and they hold the bridge: the two live together.
        phone.onReport = { self.report($0) }
        phone.onEvent = { self.receive($0) }
        phone.onMessage = { self.receive($0) }
        phone.onRequest = { self.perform($0) }
        phone.onRefresh = { self.refresh() }
        phone.openAccounts(StandingSubscriptions(settings.subscriptions, publishers: settings.publishers))
    }

    // MARK: - To the screen

    private func report(_ report: PhoneReport) {
        if case .ready(let addresses) = report { describePeerToPeerAccounts(addresses) }
        for event in report.screenEvents { screen.post(event) }
        guard case .call(let identity, let occurrence) = report else { return }
        for (reference, summary) in ladder.note(identity) { screen.post(.sipMessage(reference, summary)) }
        switch occurrence {
        case .held, .resumed, .modifyFailed:
            guard let call = phone.coordinator.calls[identity.handle] else { return }
            screen.post(.hold(CallReference(identity.handle.rawValue), call.holdState))
        case .ended:
            rates[identity.handle] = nil
        default: break
        }
    }

    /// An account without a registrar is reached at the address that we listen on.
    private func describePeerToPeerAccounts(_ addresses: [Listener]) {
        guard let address = addresses.first else { return }
        for account in phone.settings.userAgent.accounts where account.registrar == nil {
            let name = Printable(account.name)
            screen.post(
                .account(AccountDescription(name: name, address: Printable(address.address.description))))
            screen.post(.registration(account: name, .peerToPeer))
        }
    }

    private func receive(_ event: UserAgentEvent) {
        guard case .requestAnswered(let handle, let answer) = event else { return }
        let target = queries.removeValue(forKey: handle) ?? ""
        report(.answered(target: target, answer))
    }

    private func receive(_ message: TracedMessage) {
        guard let (reference, summary) = ladder.summary(of: message) else { return }
        screen.post(.sipMessage(reference, summary))
    }

    private func refresh() {
        let now = SystemClock.now
        for handle in phone.coordinator.order {
            guard let statistics = phone.media.statistics(handle.rawValue) else { continue }
            let reference = CallReference(handle.rawValue)
            screen.post(
                .levels(reference, AudioLevels(microphone: statistics.sentLevel, ear: statistics.heardLevel)))
            var quality = statistics.onScreen
            if let last = rates[handle], now - last.at >= .seconds(1) {
                let bits = Double(statistics.sentOctets - min(last.octets, statistics.sentOctets)) * 8
                quality.kilobitsPerSecond = bits / (now - last.at).inSeconds / 1000
                rates[handle] = (now, statistics.sentOctets)
                screen.post(.quality(reference, quality))
            } else if rates[handle] == nil {
                rates[handle] = (now, statistics.sentOctets)
            }
        }
    }

    // MARK: - To the phone

    private func perform(_ request: PhoneRequest) {
        switch request {
        case .terminalLost: _ = phone.end(by: Signals.Signal.hangUp.number)
        case .command(let command): perform(command)
        }
    }

    private func perform(_ command: UserCommand) {
        switch command {
        case .dial(let target, let account): dial(target, account: account)
        case .answer(let call): phone.ask { $0.answer(call.handle, at: $1) }
        case .reject(let call, let status):
            phone.ask { coordinator, _ in coordinator.reject(call.handle, status: StatusCode(status) ?? 486) }
        case .silence(let call): phone.ask { coordinator, _ in coordinator.silence(call.handle) }
        case .hangUp(let call): phone.ask { coordinator, _ in coordinator.hangUp(call.handle) }
        case .hangUpAll:
            phone.ask { coordinator, _ in for handle in coordinator.order { coordinator.hangUp(handle) } }
        case .hold(let call): phone.ask { coordinator, _ in coordinator.hold(call.handle) }
        case .resume(let call): phone.ask { coordinator, _ in coordinator.resume(call.handle) }
        case .transfer(let call, let target):
            let account = phone.coordinator.calls[call.handle]?.accountID
            let accounts = phone.settings.userAgent.accounts
            guard let uri = resolve(target, account: accounts.first { $0.id == account } ?? accounts.first) else {
                return
            }
            phone.ask { coordinator, _ in coordinator.transfer(call.handle, to: uri) }
        case .connect(let call, let other):
            phone.ask { coordinator, _ in coordinator.transfer(call.handle, toPeerOf: other.handle) }
        case .conference(let call, let other):
            phone.ask { coordinator, _ in coordinator.confer(call.handle, with: other.handle) }
        case .acceptTransfer(let call): phone.ask { $0.acceptTransfer(call.handle, at: $1) }
        case .declineTransfer(let call): phone.ask { coordinator, _ in coordinator.declineTransfer(call.handle) }
        case .setMuted(let call, let isMuted):
            phone.ask { coordinator, _ in coordinator.setMuted(call.handle, isMuted) }
            screen.post(.muted(call, isMuted))
        case .sendDigits(let call, let digits):
            phone.ask { coordinator, _ in coordinator.sendDigits(call.handle, digits) }
        case .register(let account): for id in registering(account) { phone.perform(.register(id)) }
        case .unregister(let account):
            for id in registering(account) { phone.ask { coordinator, _ in coordinator.unregister(id) } }
        case .options(let target): send(to: target) { OutgoingRequest(.options, account: $0, to: $1) }
        case .composing(let target, let isActive): compose(to: target, isActive: isActive)
        case .message(let target, let text): send(to: target) { .message(text, account: $0, to: $1) }
        case .quit: phone.ask { coordinator, _ in coordinator.end(.success) }
        case .suspend, .redraw: break
        }
    }

    private func registering(_ name: String?) -> [AccountID] {
        phone.settings.userAgent.accounts.filter { $0.registrar != nil && $0.name == name ?? $0.name }.map(\.id)
    }

    private func account(named name: String?) -> Account? {
        let accounts = phone.settings.userAgent.accounts
        if let name { return accounts.first { $0.name == name } }
        return accounts.first { $0.id == phone.settings.account ?? $0.id }
    }

    private func resolve(_ target: String, account: Account?) -> URI? {
        switch TargetResolution(contacts: phone.settings.contacts, account: account).uri(for: target) {
        case .success(let uri): return uri
        case .failure(let problem):
            screen.post(
                .failure(cause: Printable(problem.text), cure: "Type sip:user@host, or a number with an account."))
            return nil
        }
    }

    private func dial(_ target: String, account name: String?) {
        let account = account(named: name)
        guard let uri = resolve(target, account: account) else { return }
        phone.ask { $0.dial(uri, account: account?.id, script: nil, at: $1) }
    }

    /// Tells whom the person writes to, where the account does so; half a name is told nobody.
    private func compose(to target: String, isActive: Bool) {
        let account = account(named: nil)
        guard let account, phone.settings.composers.contains(account.id),
            case .success(let uri) = TargetResolution(contacts: phone.settings.contacts, account: account)
                .uri(for: target)
        else { return }
        phone.perform(.compose(.address(uri), account: account.id, isTyping: isActive))
    }

    private func send(
        to target: String, _ request: (AccountID?, OutgoingRequest.Recipient) -> OutgoingRequest
    ) {
        let account = account(named: nil)
        guard let uri = resolve(target, account: account) else { return }
        let handle = RequestHandle(rawValue: nextQuery)
        nextQuery += 1
        queries[handle] = uri.description
        phone.perform(.request(handle, request(account?.id, .address(uri))))
    }
}

extension CallReference {
    var handle: CallHandle { CallHandle(rawValue: rawValue) }
}

extension Call {
    fileprivate var holdState: HoldState {
        switch (isHeldByUs, isHeldByPeer) {
        case (false, false): .none
        case (true, false): .byUs
        case (false, true): .byPeer
        case (true, true): .byBoth
        }
    }
}
