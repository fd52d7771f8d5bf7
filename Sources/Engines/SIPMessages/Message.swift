/// A SIP message (RFC 3261 §7): one that could be framed and identified. Whether it is a good one, `Validation` says.
package enum Message: Equatable, Sendable {
    case request(Request)
    case response(Response)

    package var vias: [Via] {
        get {
            switch self {
            case .request(let request): request.vias
            case .response(let response): response.vias
            }
        }
        set {
            switch consume self {
            case .request(var request):
                request.vias = newValue
                self = .request(request)
            case .response(var response):
                response.vias = newValue
                self = .response(response)
            }
        }
    }

    package var from: NameAddress {
        switch self {
        case .request(let request): request.from
        case .response(let response): response.from
        }
    }

    package var to: NameAddress {
        switch self {
        case .request(let request): request.to
        case .response(let response): response.to
        }
    }

    package var callID: String {
        switch self {
        case .request(let request): request.callID
        case .response(let response): response.callID
        }
    }

    package var cSeq: CSeq {
        switch self {
        case .request(let request): request.cSeq
        case .response(let response): response.cSeq
        }
    }

    package var headers: Headers {
        switch self {
        case .request(let request): request.headers
        case .response(let response): response.headers
        }
    }

    package var body: [UInt8] {
        switch self {
        case .request(let request): request.body
        case .response(let response): response.body
        }
    }

    package func bytes() -> [UInt8] {
        switch self {
        case .request(let request): request.bytes()
        case .response(let response): response.bytes()
        }
    }
}
