/// Somebody of the address book, or who is watched, as the list of contacts shows them.
package struct ContactLine: Hashable, Sendable {
    /// Without scheme: `bob@example.com`.
    package var address: Printable
    package var name: Printable?
    /// nil: nobody told us.
    package var presence: Presence?
    package var lamp: BusyLamp?
}

/// Whether somebody can be reached, as a presence server says.
package struct Presence: Hashable, Sendable {
    package var isOpen: Bool
    /// What they do, and their own words.
    package var detail: Printable

    package init(isOpen: Bool, detail: Printable = "") {
        self.isOpen = isOpen
        self.detail = detail
    }
}

/// What somebody's phone does, as far as their lamp shows it.
package enum BusyLamp: Hashable, Sendable {
    case idle, ringing, busy
}

/// The list of contacts and what is told of them.
extension AppState {
    static let maximumContacts = 500

    mutating func receive(contact party: Party) {
        updateContact(party.address) { $0.name = party.displayName }
    }

    /// Changes the line of an address, which is added where it is new and there is room.
    mutating func updateContact(_ address: Printable, _ body: (inout ContactLine) -> Void) {
        if let index = contacts.firstIndex(where: { $0.address == address }) {
            body(&contacts[index])
        } else if contacts.count < Self.maximumContacts {
            var line = ContactLine(address: address)
            body(&line)
            contacts.append(line)
        }
    }

    /// Somebody began or stopped to write to us.
    mutating func receive(composing peer: Party, isActive: Bool) {
        writers.removeAll { $0 == peer }
        if isActive, writers.count < Self.maximumWriters { writers.append(peer) }
    }
}
