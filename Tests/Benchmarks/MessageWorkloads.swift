import SDP
import SIPMessages

extension Workload {
    /// Start line and the header fields that a user agent needs, typed: Via, From, To, Call-ID, CSeq, Max-Forwards,
    /// Content-Length, Contact, Route, credentials.
    static var parse: Workload {
        Workload(name: "parse", usage: "FILE...") { paths in
            for path in paths {
                let bytes = contents(of: path)
                guard (try? MessageParser.parse(bytes)) != nil else {
                    Benchmarks.fail("\(path): not a SIP message")
                }
                printResult("parse", path, bytes.count, medianNanoseconds { readTypedFields(of: bytes) })
            }
        }
    }

    /// The same message back to bytes.
    static var write: Workload {
        Workload(name: "write", usage: "FILE...") { paths in
            for path in paths {
                guard let message = try? MessageParser.parse(contents(of: path)) else {
                    Benchmarks.fail("\(path): not a SIP message")
                }
                let nanoseconds = medianNanoseconds { consume(message.bytes()) }
                printResult("write", path, message.bytes().count, nanoseconds)
            }
        }
    }

    /// A whole session description, its media and attributes.
    static var sdp: Workload {
        Workload(name: "sdp", usage: "FILE...") { paths in
            for path in paths {
                let bytes = contents(of: path)
                guard (try? SessionDescription(parsing: bytes)) != nil else {
                    Benchmarks.fail("\(path): not a session description")
                }
                let nanoseconds = medianNanoseconds { consume(try? SessionDescription(parsing: bytes)) }
                printResult("sdp", path, bytes.count, nanoseconds)
            }
        }
    }

    private static func printResult(_ name: String, _ path: String, _ bytes: Int, _ nanoseconds: Int) {
        print(#"{"name":"\#(name)","file":\#(fileName(path)),"bytes":\#(bytes),"ns":\#(nanoseconds)}"#)
    }
}

/// What a user agent or a proxy reads of a message.
func readTypedFields(of bytes: [UInt8]) {
    guard let message = try? MessageParser.parse(bytes) else { return }
    let headers = message.headers
    let contact = try? headers.first(Contact.self)
    let routes = try? headers.all(Route.self)
    let credentials = try? headers.first(Authorization.self)
    consume(message)
    consume(contact)
    consume(routes)
    consume(credentials)
}
