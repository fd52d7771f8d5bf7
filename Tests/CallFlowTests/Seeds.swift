import Glibc

/// How many seeds a test of many runs through.
enum Seeds {
    /// From 0 up to what `OFFHOOK_SEEDS` says, or `usual` where it says nothing.
    static func upTo(_ usual: UInt64) -> Range<UInt64> {
        let wanted = getenv("OFFHOOK_SEEDS").flatMap { UInt64(String(cString: $0)) }
        return 0..<(wanted ?? usual)
    }
}
