import Glibc

/// Finding out beforehand whether a file can serve. It may still fail later; whoever uses it hears of that too.
extension AudioSpec {
    /// Refuses a file that does not exist, can't be read or holds no sound. Opens and closes it; for a thread that may
    /// block.
    package func checkReadable() throws(AudioError) {
        guard case .file(let path) = self else { return }
        _ = try AudioFileReader(path: path)
    }

    /// Refuses a file that can't be made, or that is there and must not be replaced: only an older recording is. Touches
    /// nothing.
    package func checkWritable() throws(AudioError) {
        guard case .file(let path) = self else { return }
        var status = stat()
        if lstat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw .file(path: path, reason: "exists and is not a regular file")
            }
            guard status.st_size == 0 || (try? AudioFileReader(path: path)) != nil else {
                throw .file(path: path, reason: "exists and is no sound file; nothing else is replaced by a recording")
            }
        }
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        guard access(directory, W_OK | X_OK) == 0 else {
            throw .file(path: path, reason: SystemError.text(of: errno))
        }
    }

    /// Whether both name one file that is there.
    package func isSameFile(as other: AudioSpec) -> Bool {
        guard case .file(let path) = self, case .file(let otherPath) = other else { return false }
        var (status, otherStatus) = (stat(), stat())
        guard stat(path, &status) == 0, stat(otherPath, &otherStatus) == 0 else { return false }
        return status.st_dev == otherStatus.st_dev && status.st_ino == otherStatus.st_ino
    }
}
