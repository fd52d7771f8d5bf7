import SIPMessages

extension FuzzTarget {
    /// A message of any texts: it holds the fields that it was given and no others, and reads back or is refused as a
    /// whole.
    static func writing(_ bytes: [UInt8]) throws(Fault) {
        var input = FuzzInput(bytes)
        let uri = SIPURI(
            user: input.flag() ? input.text() : nil, password: input.flag() ? input.text() : nil,
            host: .name(input.text()), port: input.flag() ? UInt16(input.byte()) : nil,
            parameters: Parameters(.uri, [(input.text(), input.text())]), headers: [(input.text(), input.text())])
        let address = NameAddress(
            displayName: input.flag() ? input.text() : nil, uri: .sip(uri),
            parameters: Parameters(.field, [("tag", input.text()), (input.text(), input.text())]))
        let other = NameAddress(uri: .other(scheme: input.text(), rest: input.text()))
        let method = input.pick(Method.invite, .other(input.text()))
        var headers = Headers()
        headers.append(Contact.address(address))
        headers.append(Require([input.text(), input.text()]))
        headers.append(
            ContentType(input.text(), input.text(), parameters: Parameters(.field, [(input.text(), input.text())])))
        headers.append(Reason(protocolName: input.text(), cause: 1, text: input.text()))
        headers.append(Warning(code: 399, agent: input.text(), text: input.text()))
        headers.append(Replaces(callID: input.text(), ownTag: input.text(), peerTag: input.text()))
        var parameters = AuthenticationParameters(scheme: input.text())
        parameters.append(input.text(), quoted: input.text())
        parameters.append(input.text(), token: input.text())
        headers.append(WWWAuthenticate(parameters: parameters))
        for name in [HeaderName.subject, .userAgent, .alertInfo] {
            let text = input.text()
            let isHarmless = !text.utf8.contains { $0 == 0 || $0 == 10 || $0 == 13 }
            try check(
                ((try? headers.append(name, text)) != nil) == isHarmless, "a value that ends its line, or a good one")
        }
        let request = Request(
            method: method, uri: .sip(uri),
            vias: [Via(transport: .other(input.text()), host: .name(input.text()), branch: input.text())],
            from: address, to: other, callID: input.text(), cSeq: CSeq(1, method), headers: headers,
            body: Array(input.run()))
        try hasItsLines(request.bytes(), body: request.body.count)
        try hasItsLines(request.response(400, reason: input.text(), toTag: input.text()).bytes(), body: 0)
        try isStable(request.bytes())
    }

    /// Every line of the head ends in CRLF and holds no other CR, LF or NUL, and only the last one is empty.
    private static func hasItsLines(_ bytes: [UInt8], body: Int) throws(Fault) {
        let lines = bytes.dropLast(body).split(separator: 0x0a, omittingEmptySubsequences: false)
        try check(!bytes.dropLast(body).contains(0), "a NUL")
        try check(lines.suffix(2).map(\.count) == [1, 0], "no empty line behind the head")
        let fields = lines.dropLast(2)
        try check(fields.allSatisfy { $0.last == 0x0d && !$0.dropLast().contains(0x0d) }, "a line with two ends")
        try check(fields.allSatisfy { $0.count > 1 }, "an empty line within the head")
    }

    /// What was read of it is written the same way from then on.
    private static func isStable(_ bytes: [UInt8]) throws(Fault) {
        guard let message = try? MessageParser.parse(bytes) else { return }
        try isReadBack(message)
    }
}
