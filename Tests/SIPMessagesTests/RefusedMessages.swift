/// The messages of others that are refused, by the reason: the names of their files.
enum RefusedMessages {
    static let byReason: [String: [String]] = [
        "CSeq: expected number": ["e6c856466c6d"],
        "CSeq: expected separator": ["cbedb94b9b16"],
        "CSeq: the header field is missing": ["498e3dcac84c"],
        "CSeq: the number is out of range": ["086c6d831080", "df542360e692"],
        "Call-ID: the header field is missing": ["7239606f04b3"],
        "Call-ID: the header field may appear only once": ["8955e0b6bacf", "f1149d604b5e"],
        // Templates of tests, whose length a program fills in.
        "Content-Length: expected number": ["0e18ee47de79", "3bef0e0de7f3", "4693d4f97a90", "9d0225867060"],
        // Cut where they were copied, or with the length of another body.
        "Content-Length: the body is shorter than Content-Length says": [
            "03b8f58a4964", "053551113c9d", "1cd679d76023", "356d3b32fd34", "37a840d16656", "402c973f096c",
            "53ad5b3cbe0f", "72fc7b889988", "772739b027b9", "790c0be5e7d6", "7e7b0f07af55", "8881930976aa",
            "9e221a642e0a", "bd47e99b9e06", "c78f7305cb54", "d9a2c54adf39", "df0c6b3ec990", "e97baed1852d",
            "fc5fb482ff48",
        ],
        "From: expected address": ["487604de4a05"],
        // A user part with an `@` of its own.
        "From: expected host": ["346897efce72"],
        "From: expected token": ["f182a32f90ad"],
        "From: expected uri": ["3feaa121cc24", "69a4aca66fae", "836103363c27", "c92efccbe562"],
        // Fragments, and tests of just this.
        "From: the header field is missing": [
            "41a892e24985", "53f71db48f58", "5d19d618892c", "7c61193e513f", "820a30b60fb9", "cd2070d698ab",
            "d6d4ddcbecca",
        ],
        "To: expected uri": ["1cc6c68501ea"],
        "To: expected value": ["122281badc43"],
        "To: the header field is missing": ["53f0e55228f0", "f3c15ee59a4b"],
        "To: the quoted string is not closed": ["4d8bb7219176"],
        "Via: expected end of the field": ["88731899e74f"],
        "Via: expected separator": ["d059127fb777"],
        "Via: expected token": ["319775df5803", "3505691cce2f", "c731ff10f47c"],
        // `branch=` and nothing behind it.
        "Via: expected value": ["700ff39e5a06"],
        "Via: the header field is missing": [
            "0bcb16acf33b", "4d41b065951e", "4f48e553fc41", "817d8d0c1e4b", "904ddbb63c44",
        ],
        // Made so by testers of parsers, or by what wrote them down.
        "a CR or LF that is not part of a CRLF": [
            "7cb75aafb365", "924237225dd8", "a3b501aef5bf", "afb543567f02", "f485e236815b",
        ],
        "a NUL outside a quoted pair": ["fded0e5498b1"],
        // A Request-URI in angle brackets (RFC 4475 §3.1.2.7).
        "expected uri": ["73cb735f52b9", "759c11dd8ee3", "a4563708c93e"],
        // Keep-alives, and texts that are no message.
        "the first line is neither a request line nor a status line": [
            "1d4fdb3c397d", "7390d3af37a8", "b5385f0a2e83", "cd5bcae2f0f3", "d426584a4569", "e5d9d3d3acd4",
        ],
        "the line is not a header field name, a colon and a value": [
            "425676ae590a", "506de94150cf", "5eb19baccf44", "740f03b01c2b",
        ],
    ]
}
