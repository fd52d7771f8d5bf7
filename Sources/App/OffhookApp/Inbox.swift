import CLinux
import EngineKit
import Glibc
import MediaRuntime
import SIPRuntime
import SIPUserAgent
import Synchronization
import TerminalRuntime

/// What other threads tell the main thread.
enum Notice: Sendable {
    case signalling(UserAgentEvent)
    case media(MediaNotice)
    case message(TracedMessage)
    case listening(Result<[Listener], StartFault>)
    /// The person at the screen wants something.
    case request(PhoneRequest)
}

/// The way from every other thread to the main one: a queue, and a descriptor that wakes its poll.
final class Inbox: Sendable {
    private let notices = Mutex<[Notice]>([])
    private let wakeup: Wakeup

    init() throws(SystemError) {
        wakeup = try Wakeup()
    }

    var descriptor: CInt { wakeup.descriptor }

    func post(_ notice: Notice) {
        let wasEmpty = notices.withLock { notices in
            notices.append(notice)
            return notices.count == 1
        }
        if wasEmpty { wakeup.signal() }
    }

    /// Takes everything that was posted.
    func take() -> [Notice] {
        wakeup.drain()
        return notices.withLock { notices in
            defer { notices = [] }
            return notices
        }
    }
}
