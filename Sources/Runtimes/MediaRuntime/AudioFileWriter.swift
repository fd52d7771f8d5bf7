import CSndfile
import Glibc

/// A sound file that is written at 48 kHz, 16 bits, and is whole at any time: a kill loses what came after the last
/// `update`. For a thread that may block.
///
/// The file is ours alone (0600). A regular file of that name is replaced, as the user named it; anything else (a
/// symbolic link, a FIFO, a device) is refused, and never written through.
struct AudioFileWriter: ~Copyable {
    /// What a disk is left, in hundredths of its size; and what one recording may take.
    private static let freePercent: UInt = 5
    static let quota = 1 << 30

    let path: String
    private let handle: OpaquePointer
    private let descriptor: CInt
    private let channels: Int
    private var bytes = 0

    init(path: String, channels: Int) throws(AudioError) {
        func refuse(_ reason: String) -> AudioError { .file(path: path, reason: reason) }
        var status = stat()
        if lstat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else { throw refuse("exists and is not a regular file") }
            guard unlink(path) == 0 else { throw refuse(SystemError.text(of: errno)) }
        }
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw refuse(SystemError.text(of: errno)) }
        var info = SF_INFO()
        info.samplerate = 48_000
        info.channels = CInt(channels)
        info.format = Self.format(of: path)
        guard let handle = sf_open_fd(descriptor, CInt(SFM_WRITE), &info, CInt(SF_TRUE)) else {
            throw refuse(String(cString: sf_strerror(nil)))
        }
        self.path = path
        self.handle = handle
        self.descriptor = descriptor
        self.channels = channels
        update()
    }

    deinit { sf_close(handle) }

    /// By the name's end: FLAC, or Opus in Ogg, where it says so, else WAV. Not Vorbis, of which libsndfile holds back so much
    /// that a kill would lose all.
    private static func format(of path: String) -> CInt {
        let name = path.lowercased()
        if name.hasSuffix(".flac") { return CInt(SF_FORMAT_FLAC) | CInt(SF_FORMAT_PCM_16) }
        if [".opus", ".ogg", ".oga"].contains(where: name.hasSuffix) {
            return CInt(SF_FORMAT_OGG) | CInt(SF_FORMAT_OPUS)
        }
        return CInt(SF_FORMAT_WAV) | CInt(SF_FORMAT_PCM_16)
    }

    /// Appends interleaved samples.
    mutating func write(_ samples: UnsafeBufferPointer<Int16>) throws(AudioError) {
        guard bytes + samples.count * 2 <= Self.quota else {
            throw .file(path: path, reason: "has reached 1 GiB, the limit of one recording")
        }
        let frames = sf_count_t(samples.count / channels)
        guard let base = samples.baseAddress, sf_writef_short(handle, base, frames) == frames else {
            throw .file(path: path, reason: String(cString: sf_strerror(handle)))
        }
        bytes += samples.count * 2
    }

    /// Makes the header say what the file holds.
    mutating func update() {
        sf_command(handle, CInt(SFC_UPDATE_HEADER_NOW), nil, 0)
    }

    /// Has the system put the file on the disk, and refuses to go on where the disk is nearly full.
    mutating func synchronize() throws(AudioError) {
        update()
        sf_write_sync(handle)
        var disk = statvfs()
        guard fstatvfs(descriptor, &disk) == 0 else { return }
        guard UInt(disk.f_bavail) > UInt(disk.f_blocks) / 100 * Self.freePercent else {
            throw .file(path: path, reason: "stopped: the disk has less than \(Self.freePercent) % left")
        }
    }
}
