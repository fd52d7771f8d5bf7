import Glibc
import SIPMessages
import SIPUserAgent

/// A request as the command line asks for it: its method, header fields and body.
package struct BareRequest: Sendable {
    package var method: String
    /// `Name: value`, each.
    package var headers: [String] = []
    /// `type/subtype` with parameters; nil: plain text in UTF-8.
    package var contentType: String?
    /// nil: what standard input holds.
    package var body: [UInt8]? = []

    package init(method: String) {
        self.method = method
    }

    /// What standard input holds, up to what a message may carry, without the line end of its last line; nil where it
    /// can't be read.
    private static func standardInput() -> [UInt8]? {
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while text.count <= MessageLimits.standard.body {
            let count = read(STDIN_FILENO, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            guard count > 0 else { break }
            text += chunk.prefix(count)
        }
        if text.last == UInt8(ascii: "\n") { text.removeLast() }
        return text
    }

    func outgoing(account: AccountID?, to target: URI) throws(StartFault) -> OutgoingRequest {
        let method = Method(method)
        guard Self.isToken(method.name), method.mayBeSentAlone else {
            throw StartFault(
                .usage, "'\(method.name)' can't be sent alone: it is no token, or belongs to a call or subscription")
        }
        guard let body = body ?? Self.standardInput() else {
            throw StartFault(.badInput, "standard input can't be read, and no text was given")
        }
        var request = OutgoingRequest(method, account: account, to: .address(target), body: body)
        guard body.count <= MessageLimits.standard.body else {
            throw StartFault(.usage, "a body has \(MessageLimits.standard.body) octets at most")
        }
        do throws(CallScript.Fault) {
            request.headers = try CallScript.headers(headers)
        } catch {
            throw StartFault(error)
        }
        if let contentType {
            guard let type = ContentType(argument: contentType) else {
                throw StartFault(.usage, "--content-type: '\(contentType)' is not TYPE/SUBTYPE")
            }
            request.contentType = type
        } else if !body.isEmpty {
            request.contentType = .plainText
        }
        return request
    }

    private static func isToken(_ text: String) -> Bool {
        text.utf8.count <= Int(FieldLimits.standard.method) && HeaderName(text) != nil
    }
}

extension ContentType {
    fileprivate init?(argument: String) {
        guard let headers = try? Headers(Self.name, argument), let type = try? headers.first(Self.self) else {
            return nil
        }
        self = type
    }
}

extension Headers {
    fileprivate init(_ name: HeaderName, _ value: String) throws(FieldError) {
        self.init()
        try append(name, value)
    }
}
