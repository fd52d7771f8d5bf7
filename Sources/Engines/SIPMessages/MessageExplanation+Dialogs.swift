/// The rules of requests that begin a dialog or name one, which no parser and no server asks about: a user agent does,
/// once it has matched them.
extension MessageExplanation {
    static func dialogFaults(in request: Request) -> [Entry] {
        // Nobody is asked anything by an ACK, nor answers it (RFC 3261 §17).
        guard request.method != .ack else { return [] }
        return contactFaults(in: request) + namedDialogFaults(in: request) + eventFaults(in: request)
    }

    private static func contactFaults(in request: Request) -> [Entry] {
        guard [.invite, .subscribe, .refer].contains(request.method), !request.to.hasTag,
            let contacts = try? request.headers.all(Contact.self), let first = contacts.first, !contacts.contains(.star)
        else { return [] }
        let clause = "RFC 3261 §8.1.1.8"
        if contacts.count > 1 {
            let text = "a request that starts a dialog has one, and here are \(contacts.count)"
            return [fault(.contact, text, clause, 400)]
        }
        guard first.uri?.sipURI == nil else { return [] }
        return [fault(.contact, "no request can be sent to it, as it is no SIP or SIPS URI", clause, 400)]
    }

    /// Replaces and Join: one of them, once, in an INVITE.
    private static func namedDialogFaults(in request: Request) -> [Entry] {
        let named = [
            (name: HeaderName.replaces, clause: "RFC 3891 §3", isReadable: isReadable(Replaces.self, in: request)),
            (name: .join, clause: "RFC 3911 §4", isReadable: isReadable(Join.self, in: request)),
        ].filter { request.headers.contains($0.name) }
        guard let last = named.last else { return [] }
        guard request.method == .invite else { return [fault(last.name, "it goes with INVITE only", last.clause, 400)] }
        guard named.count == 1 else {
            return [fault(last.name, "a call can't take the place of one and join one", last.clause, 400)]
        }
        return last.isReadable ? [] : [fault(last.name, "it names no dialog, or several", last.clause, 400)]
    }

    private static func isReadable<F: HeaderField>(_ type: F.Type, in request: Request) -> Bool {
        (try? request.headers.first(type)) != nil
    }

    private static func eventFaults(in request: Request) -> [Entry] {
        guard request.method == .subscribe || request.method == .publish, !request.headers.contains(.event) else {
            return []
        }
        let clause = request.method == .subscribe ? "RFC 6665 §8.2.1" : "RFC 3903 §6"
        return [fault(.event, "it is missing, and says of what", clause, 489)]
    }

    private static func fault(_ name: HeaderName, _ text: String, _ clause: String, _ status: Int) -> Entry {
        Entry(kind: .fault, subject: name.spelling, text: text, clause: clause, status: status)
    }
}
