extension Validation {
    /// What is unusual in a message and is passed over.
    package static func remarks(on message: Message) -> [Remark] {
        var remarks: [Remark] = []
        if case .request(let request) = message {
            if request.from.tag == nil {
                remarks.append(
                    Remark(
                        text: "From has no tag, as from a peer of RFC 2543", clause: "RFC 3261 §8.1.1.3",
                        header: .from))
            }
            if request.vias.first?.isBranchUnique != true {
                remarks.append(
                    Remark(
                        text: "the branch goes on from no magic cookie: the transaction is matched by RFC 2543 rules",
                        clause: "RFC 3261 §17.2.3", header: .via))
            }
            if request.maxForwards == nil {
                remarks.append(
                    Remark(text: "Max-Forwards is missing", clause: "RFC 3261 §8.1.1.6", header: .maxForwards))
            }
        } else if message.to.tag == nil {
            remarks.append(Remark(text: "To has no tag", clause: "RFC 3261 §8.2.6.2", header: .to))
        }
        if message.cSeq.number >= 1 << 31 {
            remarks.append(
                Remark(text: "the sequence number is not below 2**31", clause: "RFC 3261 §8.1.1.5", header: .cSeq))
        }
        let headers = message.headers
        return remarks + oddParameters(in: message) + bareRoutes(in: headers) + unreadableFields(headers)
            + oddText(in: headers)
    }

    /// Routes that lose their `lr`, as what follows an address without brackets is not its own.
    private static func bareRoutes(in headers: Headers) -> [Remark] {
        func bare<F: RouteField>(_ type: F.Type) -> [Remark] {
            guard let routes = try? headers.all(type), routes.contains(where: { !$0.address.isBracketed }) else {
                return []
            }
            return [
                Remark(
                    text: "an address stands without angle brackets: its parameters are taken for those of the field",
                    clause: "RFC 3261 §20.34", header: F.name)
            ]
        }
        return bare(Route.self) + bare(RecordRoute.self) + bare(Path.self) + bare(ServiceRoute.self)
    }

    /// Fields with octets that are no text, which one recipient shows, the next drops and the third stumbles over.
    private static func oddText(in headers: Headers) -> [Remark] {
        var remarks: [Remark] = []
        for field in headers.fields {
            let value = headers.storage[field.value]
            let text =
                if String(validating: value, as: UTF8.self) == nil {
                    "the value is not UTF-8"
                } else if containsControl(value) {
                    "control characters are in the value"
                } else {
                    ""
                }
            let remark = Remark(text: text, clause: "RFC 3261 §25.1", header: headers.name(of: field))
            if !text.isEmpty, !remarks.contains(remark) { remarks.append(remark) }
        }
        return remarks
    }

    /// Whether there are other controls than tabs and such as a backslash goes before (`quoted-pair`).
    private static func containsControl(_ value: ArraySlice<UInt8>) -> Bool {
        var isEscaped = false
        for byte in value {
            if byte < 0x20 && byte != UInt8(ascii: "\t") || byte == 0x7f, !isEscaped { return true }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
        }
        return false
    }

    /// Header fields whose type we know, that can't be read and that nothing depends on.
    private static func unreadableFields(_ headers: Headers) -> [Remark] {
        var remarks: [Remark] = []
        func check<F: HeaderField>(_ type: F.Type) {
            guard let fault = headers.fault(in: type) else { return }
            remarks.append(Remark(text: fault.kind.description, clause: fault.kind.clause, header: fault.header))
        }
        check(DateField.self)
        check(Allow.self)
        check(Supported.self)
        check(Unsupported.self)
        check(Accept.self)
        check(MinExpires.self)
        check(RetryAfter.self)
        check(Reason.self)
        check(Warning.self)
        check(WWWAuthenticate.self)
        check(ProxyAuthenticate.self)
        check(Authorization.self)
        check(ProxyAuthorization.self)
        check(AuthenticationInfo.self)
        check(RSeq.self)
        check(RAck.self)
        check(SessionExpires.self)
        check(MinSE.self)
        check(EventPackage.self)
        check(AllowEvents.self)
        check(SubscriptionState.self)
        check(ReferTo.self)
        check(ReferredBy.self)
        check(TargetDialog.self)
        check(Path.self)
        check(ServiceRoute.self)
        check(PAssertedIdentity.self)
        check(PPreferredIdentity.self)
        check(Privacy.self)
        check(Diversion.self)
        check(HistoryInfo.self)
        check(AnswerMode.self)
        check(PrivAnswerMode.self)
        return remarks
    }
}
