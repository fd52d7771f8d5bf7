import EventPackages

extension FuzzTarget {
    /// Presence (PIDF): what it says it says again after it was written, activities that have no name aside.
    static func presence(_ bytes: [UInt8]) throws(Fault) {
        guard let document = try? PresenceDocument(parsing: bytes) else { return }
        guard let read = try? PresenceDocument(parsing: document.bytes) else {
            throw Fault(description: "written it can not be read")
        }
        try check(read.tuples.count == document.tuples.count && read.isOpen == document.isOpen, "other tuples")
        try check((try? PresenceDocument(parsing: read.bytes)) == read, "written and read it is another")
    }

    /// Dialogs (dialog-info), and what a lamp makes of the same document again and again.
    static func dialogInformation(_ bytes: [UInt8]) throws(Fault) {
        guard let document = try? DialogInformation(parsing: bytes) else { return }
        guard let read = try? DialogInformation(parsing: document.bytes) else {
            throw Fault(description: "written it can not be read")
        }
        try check(
            read.dialogs.count == document.dialogs.count && read.isFull == document.isFull
                && read.version == document.version, "other dialogs")
        try check((try? DialogInformation(parsing: read.bytes)) == read, "written and read it is another")
        var table = DialogTable()
        _ = table.take(document)
        let dialogs = table.dialogs
        try check(dialogs.count <= 64, "\(dialogs.count) dialogs of one subscription")
        _ = table.take(document)
        try check(table.dialogs == dialogs, "the same document again changes something")
    }

    /// Registrations (reginfo), which we read and do not write.
    static func registrationInformation(_ bytes: [UInt8]) throws(Fault) {
        guard let document = try? RegistrationInformation(parsing: bytes) else { return }
        let contacts = document.registrations.reduce(0) { $0 + $1.contacts.count }
        try check(document.registrations.count + contacts <= 2048, "more than a document may hold")
    }

    /// Whether somebody writes (is-composing): the same after it was written.
    static func composing(_ bytes: [UInt8]) throws(Fault) {
        guard let state = try? ComposingState(parsing: bytes) else { return }
        guard let read = try? ComposingState(parsing: state.bytes) else {
            throw Fault(description: "written it can not be read")
        }
        try check(read.isActive == state.isActive && read.refresh == state.refresh, "written and read it is another")
    }

    /// Waiting messages, which are lines of text.
    static func messageSummary(_ bytes: [UInt8]) throws(Fault) {
        guard let summary = try? MessageSummary(parsing: bytes) else { return }
        try check(summary == (try? MessageSummary(parsing: bytes)), "it is not the same twice")
    }
}
