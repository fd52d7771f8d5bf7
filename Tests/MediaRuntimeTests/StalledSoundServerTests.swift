import EngineKit
import Glibc
import Proofs
import RTPMedia
import Testing

@testable import MediaRuntime

/// A sound server that hangs in a call: every ALSA call on it may block without bound.
@Suite(
    .serialized, .onceTheMachineKeepsTime,
    .enabled(if: SoundServer.isInstalled, "needs pulseaudio and libasound2-plugins"))
struct StalledSoundServerTests {
    @Test(.proves(.incident(77)))
    func twoCallsGoOnWithoutAGapAndHangUpAtOnce() async throws {
        let server = try SoundServer()
        let engine = try MediaEngine(
            .init(input: .alsa("server"), output: .alsa("server"), random: RandomSource(seed: 31)))
        try engine.start()
        let log = NoticeLog(engine)
        let peers = [try GapMeter(seed: 32), try GapMeter(seed: 33)]
        for (id, peer) in peers.enumerated() {
            let ports = try engine.bindPorts(address: .loopback)
            try engine.startSession(
                id: UInt32(id), ports: ports,
                configuration: MediaConfiguration(
                    codec: .pcmu, payloadType: 0, receiveFormats: ReceiveFormats([0: .audio(.pcmu)]),
                    remoteRTP: peer.ports.rtp, remoteRTCP: peer.ports.rtcp))
        }
        await pause(.seconds(4))
        #expect(log.contains { if case .deviceOpened = $0.event { true } else { false } })
        #expect(!log.contains { if case .deviceLost = $0.event { true } else { false } })
        for peer in peers { peer.reset() }
        server.stall()
        await pause(.seconds(3))
        for peer in peers {
            print("longest time between packets of 20 ms, the sound server stalled: \(peer.longest.milliseconds) ms")
            #expect(peer.packets > 130)
            // 20 ms lie between two packets at all times; a gap is what comes on top.
            #expect(peer.longest - .milliseconds(20) <= .milliseconds(20))
        }
        #expect(log.contains { $0.event == .deviceLost(.blocked(device: "server")) })
        let before = MonotonicClock.now
        engine.stop(0)
        engine.stop(1)
        engine.shutDown()
        #expect(MonotonicClock.now - before < .milliseconds(500))
        for peer in peers { peer.stop() }
        server.resume()
    }
}

/// A PulseAudio of the test's own, with one sink without hardware.
final class SoundServer {
    static let isInstalled = access("/usr/bin/pulseaudio", X_OK) == 0

    private let directory: String
    private var process: pid_t = 0

    init() throws {
        try #require(VirtualCard.isConfigured)
        directory = VirtualCard.serverDirectory
        mkdir(directory, 0o700)
        let script = """
            load-module module-native-protocol-unix auth-anonymous=1 socket=\(directory)/native
            load-module module-null-sink sink_name=line rate=48000 channels=1 format=s16le norewinds=1

            """
        let file = try #require(fopen("\(directory)/script.pa", "w"))
        fputs(script, file)
        fclose(file)
        try spawn()
        for _ in 0..<200 where access("\(directory)/native", F_OK) != 0 { usleep(20_000) }
        try #require(access("\(directory)/native", F_OK) == 0)
    }

    deinit {
        resume()
        kill(process, SIGKILL)
        var status: CInt = 0
        waitpid(process, &status, 0)
        for name in ["script.pa", "native", "pid", "cookie"] { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }

    func stall() { kill(process, SIGSTOP) }
    func resume() { kill(process, SIGCONT) }

    private func spawn() throws {
        let arguments = [
            "pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1", "--disable-shm=yes",
            "--high-priority=no", "--realtime=no", "--log-level=error", "-F", "\(directory)/script.pa",
        ]
        let environment = ["HOME", "PULSE_RUNTIME_PATH", "PULSE_STATE_PATH"].map { "\($0)=\(directory)" }
        var argumentPointers = arguments.map { strdup($0) } + [nil]
        var environmentPointers = (environment + ["PATH=/usr/bin:/bin"]).map { strdup($0) } + [nil]
        defer { for pointer in argumentPointers + environmentPointers { free(pointer) } }
        let result = posix_spawn(&process, "/usr/bin/pulseaudio", nil, nil, &argumentPointers, &environmentPointers)
        try #require(result == 0)
    }
}
