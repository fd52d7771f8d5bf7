/// What a message says, or everything that is wrong with it, for people and for scripts.
///
/// Texts may hold whatever the wire held: who prints them filters control characters first.
package struct MessageExplanation: Equatable, Sendable, Encodable {
    package enum Kind: String, Equatable, Sendable, Encodable {
        /// A part of the message.
        case part
        /// A rule that the message breaks, with the status that its sender is owed.
        case fault
        /// What a message that breaks no rule asks for and the recipient does not do, with the status that it answers.
        case refusal
        /// Something unusual that a recipient passes over.
        case remark
    }

    package struct Entry: Equatable, Sendable, Encodable {
        package var kind: Kind
        /// The header field, or `request`, `response`, `body`, `message`.
        package var subject: String
        package var text: String
        /// For all but parts: the clause that says so.
        package var clause: String?
        /// For faults and refusals: the status that a request is owed.
        package var status: Int?
        /// For faults of the bytes: the octet, counted from 0.
        package var offset: Int?

        package init(
            kind: Kind, subject: String, text: String, clause: String? = nil, status: Int? = nil, offset: Int? = nil
        ) {
            self.kind = kind
            self.subject = subject
            self.text = text
            self.clause = clause
            self.status = status
            self.offset = offset
        }
    }

    /// Parts in the order of the message, then faults and refusals, then remarks.
    package private(set) var entries: [Entry] = []
    /// Whether the message breaks no rule, whatever its recipient makes of it.
    package var isWellFormed: Bool { !entries.contains { $0.kind == .fault } }
    /// The status of the answer that the first fault or refusal calls for; nil where there is none, for responses and ACK.
    package private(set) var answer: Int?

    /// Explains the bytes of one message as a user agent of those capabilities sees it.
    package init(
        of bytes: [UInt8], _ capabilities: Capabilities = Capabilities(), limits: MessageLimits = .standard
    ) {
        do throws(ParseError) {
            let message = try MessageParser.parse(bytes, limits: limits)
            describe(message)
            judge(message, capabilities)
            if case .response = message, Self.startLine(of: bytes).contains(0) {
                let text = "a NUL in the reason phrase is read as a space"
                add(Remark(text: text, clause: "RFC 3261 §25.1"), as: .remark)
            }
        } catch {
            answer = error.owedResponse?.status.value
            let faults = FaultSurvey.faults(in: bytes, limits: limits)
            for fault in faults.contains(error) ? faults : [error] + faults { add(fault) }
        }
    }

    /// Adds what the body shows: faults before the remarks. Their status is the answer where none was owed yet.
    package mutating func add(body found: [Entry]) {
        let faults = found.filter { $0.kind == .fault }
        if answer == nil { answer = faults.lazy.compactMap(\.status).first }
        let place = entries.firstIndex { $0.kind == .remark } ?? entries.endIndex
        entries.insert(contentsOf: faults, at: place)
        entries += found.filter { $0.kind == .remark }
    }

    /// One line for each entry, parts aligned, faults with clause and status.
    package var lines: [String] {
        entries.map { entry in
            switch entry.kind {
            case .part:
                return entry.subject + ": " + entry.text
            case .fault, .refusal, .remark:
                var notes = [entry.clause, entry.offset.map { "octet \($0)" }].compactMap(\.self)
                if let status = entry.status { notes.append("owed \(status)") }
                let told = "\(entry.kind.rawValue): \(entry.subject): \(entry.text)"
                return notes.isEmpty ? told : "\(told) (\(notes.joined(separator: ", ")))"
            }
        }
    }
}

extension MessageExplanation {
    private mutating func describe(_ message: Message) {
        switch message {
        case .request(let request):
            add("request", "\(request.method) \(request.uri)")
        case .response(let response):
            add("response", "\(response.status) \(response.reason)")
        }
        for via in message.vias { add("Via", via.description) }
        if case .request(let request) = message, let maxForwards = request.maxForwards {
            add("Max-Forwards", String(maxForwards))
        }
        add("From", message.from.description)
        add("To", message.to.description)
        add("Call-ID", message.callID)
        add("CSeq", message.cSeq.description)
        for (name, value) in message.headers.list { add(name.spelling, value) }
        add("body", message.body.isEmpty ? "none" : "\(message.body.count) octets")
    }

    private static func startLine(of bytes: [UInt8]) -> some Sequence<UInt8> {
        bytes.drop { $0 == 0x0d || $0 == 0x0a }.prefix { $0 != 0x0d && $0 != 0x0a }
    }

    private mutating func judge(_ message: Message, _ capabilities: Capabilities) {
        switch message {
        case .request(let request):
            let violations = Validation.violations(of: request, capabilities)
            if request.method != .ack { answer = violations.first?.status.value }
            for violation in violations {
                entries.append(
                    Entry(
                        kind: violation.kind.isLackOfRecipient ? .refusal : .fault,
                        subject: violation.header?.spelling ?? "request",
                        text: violation.description, clause: violation.clause,
                        status: request.method == .ack ? nil : violation.status.value))
            }
            let faults = Self.dialogFaults(in: request)
            if answer == nil { answer = faults.first?.status }
            entries += faults
        case .response(let response):
            if let reason = Validation.reasonToDiscard(response) { add(reason, as: .fault) }
        }
        for remark in Validation.remarks(on: message) { add(remark, as: .remark) }
    }

    private mutating func add(_ subject: String, _ text: String) {
        entries.append(Entry(kind: .part, subject: subject, text: text))
    }

    private mutating func add(_ remark: Remark, as kind: Kind) {
        entries.append(
            Entry(kind: kind, subject: remark.header?.spelling ?? "message", text: remark.text, clause: remark.clause))
    }

    private mutating func add(_ fault: ParseError) {
        entries.append(
            Entry(
                kind: .fault, subject: fault.header?.spelling ?? "message", text: fault.kind.description,
                clause: fault.kind.clause, status: answer == nil ? nil : fault.kind.status.value,
                offset: fault.offset))
    }
}
