/// What a user agent that is no registrar says to a message, over UDP and over TCP.
struct TortureOutcome {
    let name: String
    let udp: String
    let tcp: String
    /// Whether the way back to the sender is by IPv6: a phone that has none refuses to make a dialog that it could not end.
    let answersByIPv6: Bool

    /// The same over both unless said otherwise.
    private init(_ name: String, _ udp: String, tcp: String? = nil, answersByIPv6: Bool = false) {
        self.name = name
        self.udp = udp
        self.tcp = tcp ?? udp
        self.answersByIPv6 = answersByIPv6
    }

    /// Whether that is what an index of the handling allows. What is accepted as a message may still ask for what we
    /// can't read (415), have not (a codec, 488) or know nothing of (a dialog, 481); whatever registrars would say, we say
    /// that we are none.
    func isWithin(_ allowed: [String], isRegister: Bool) -> Bool {
        if udp == "405" { return isRegister }
        return allowed.contains { word in
            switch word {
            case "accept": ["rings", "200", "silence", "415", "481", "488"].contains(udp)
            case "ignore": udp == "silence"
            default: udp == word
            }
        }
    }

    static let ofRFC4475 = [
        // Its To bears the tag of a dialog that we are not in.
        TortureOutcome("wsinv", "481"),
        TortureOutcome("intmeth", "501"),
        TortureOutcome("esc01", "rings"),
        // Registrars alone take REGISTER, whatever it holds.
        TortureOutcome("escnull", "405"),
        TortureOutcome("esc02", "501"),
        TortureOutcome("lwsdisp", "200"),
        TortureOutcome("longreq", "rings"),
        // On a stream the octets behind the first message are a second one, without a Contact and with more body than it
        // says, which leaves the stream without the start of a third one.
        TortureOutcome("dblreq", "405", tcp: "405, 400, closed"),
        TortureOutcome("semiuri", "200"),
        TortureOutcome("transports", "200"),
        // Its second part is for a program that is not here, and is not called optional (RFC 5621 §8.2).
        TortureOutcome("mpart01", "415"),
        // Responses to nothing that was asked.
        TortureOutcome("unreason", "silence"),
        TortureOutcome("noreason", "silence"),
        TortureOutcome("badinv01", "400"),
        // A body that does not come is waited for, and then the connection ends (§3.1.2.2).
        TortureOutcome("clerr", "400", tcp: "closed"),
        TortureOutcome("ncl", "400", tcp: "400, closed"),
        TortureOutcome("scalar02", "400"),
        TortureOutcome("scalarlg", "silence"),
        TortureOutcome("quotbal", "400"),
        TortureOutcome("ltgtruri", "400"),
        TortureOutcome("lwsruri", "400"),
        TortureOutcome("lwsstart", "400"),
        TortureOutcome("trws", "400"),
        TortureOutcome("escruri", "400"),
        TortureOutcome("baddate", "rings"),
        TortureOutcome("regbadct", "405"),
        TortureOutcome("badaspec", "400"),
        // It lacks its empty line: on a stream the next message is a part of it.
        TortureOutcome("baddn", "400", tcp: "400, closed"),
        TortureOutcome("badvers", "505"),
        TortureOutcome("mismatch01", "400"),
        TortureOutcome("mismatch02", "501"),
        TortureOutcome("bigcode", "silence"),
        TortureOutcome("badbranch", "400"),
        TortureOutcome("insuf", "400"),
        TortureOutcome("unkscm", "416"),
        TortureOutcome("novelsc", "416"),
        TortureOutcome("unksm2", "405"),
        TortureOutcome("bext01", "420"),
        TortureOutcome("invut", "415"),
        TortureOutcome("regaut01", "405"),
        TortureOutcome("multi01", "400"),
        TortureOutcome("mcl01", "400", tcp: "400, closed"),
        TortureOutcome("bcast", "silence"),
        TortureOutcome("zeromf", "200"),
        TortureOutcome("cparam01", "405"),
        TortureOutcome("cparam02", "405"),
        TortureOutcome("regescrt", "405"),
        TortureOutcome("sdp01", "406"),
        // RFC 2543 knew no Content-Length over UDP; without one a stream has no end of a message.
        TortureOutcome("inv2543", "rings", tcp: "400, closed"),
    ]

    /// Of three the collection has copies with the length that their bodies have, which stand for them.
    static let ofRFC5118 = [
        TortureOutcome("ipv6-good", "405"),
        TortureOutcome("ipv6-bad", "400"),
        TortureOutcome("port-ambiguous", "405"),
        TortureOutcome("port-unambiguous", "405"),
        TortureOutcome("via-received-param-with-delim", "481"),
        TortureOutcome("via-received-param-no-delim", "200"),
        TortureOutcome("mult-ip-in-header", "481"),
        TortureOutcome("ipv6-bug-abnf-3-colons", "400"),
        TortureOutcome("ipv6-correct-abnf-2-colons", "200"),
        // Its only codec of speech is one that we have not.
        TortureOutcome("ipv6-in-sdp.clfixed", "488"),
        TortureOutcome("mult-ip-in-sdp.clfixed", "rings", answersByIPv6: true),
        TortureOutcome("ipv4-mapped-ipv6.clfixed", "488"),
    ]
}
