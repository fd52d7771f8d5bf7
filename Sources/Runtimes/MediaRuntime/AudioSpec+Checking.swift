import Glibc

/// Finding out beforehand whether a file can serve. It may still fail later; whoever uses it hears of that too.
extension AudioSpec {
    /// Refuses a file that does not exist, can't be read or holds no sound. Opens and closes it; for a thread that may
    /// block.
    package func checkReadable() throws(AudioError) {
        guard case .file(let path) = self else { return }
        _ = try AudioFileReader(path: path)
    }

    /// Refuses a file that can't be made, or that is there and must not be replaced. Touches nothing.
    package func checkWritable() throws(AudioError) {
        guard case .file(let path) = self else { return }
        var status = stat()
        if lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw .file(path: path, reason: "exists and is not a regular file")
        }
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        guard access(directory, W_OK | X_OK) == 0 else {
            throw .file(path: path, reason: SystemError.text(of: errno))
        }
    }
}
