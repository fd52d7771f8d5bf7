import Glibc

/// An operation that the system refused.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The errno.
    package let code: CInt
    /// What was asked for, in words that follow "cannot": `bind 127.0.0.1:16384`.
    package let operation: String

    package init(code: CInt, operation: String) {
        self.code = code
        self.operation = operation
    }

    package var description: String { "cannot \(operation): \(Self.text(of: code))" }

    /// The system's words for an errno.
    static func text(of code: CInt) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            guard let base = buffer.baseAddress, strerror_r(code, base, buffer.count) == 0 else {
                return "error \(code)"
            }
            return String(cString: base)
        }
    }

    /// Passes on a result at or above zero; throws a negated errno.
    static func check(_ result: CInt, _ operation: @autoclosure () -> String) throws(SystemError) -> CInt {
        guard result >= 0 else { throw SystemError(code: -result, operation: operation()) }
        return result
    }
}
