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
        return remarks + oddParameters(in: message) + unreadableFields(message.headers)
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
