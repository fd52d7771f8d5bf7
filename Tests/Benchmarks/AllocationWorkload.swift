import AudioCodecs
import CAllocationCount
import EngineKit
import Glibc
import MediaRuntime
import RTPMedia

extension Workload {
    /// What the real-time threads allocate for captured and played frames after start-up: two phones talk Opus over
    /// two virtual sound cards and the loopback, each of them before a bad network, with redundant audio and all that can
    /// be done to a microphone's sound. Ends with 1 where that is anything.
    static var allocations: Workload {
        Workload(name: "allocations", usage: "[SECONDS]") { arguments in
            let seconds = arguments.first.flatMap { UInt32($0) } ?? 5
            configureCards()
            do {
                let phones = try [openPhone("a", seed: 1), openPhone("b", seed: 2)]
                for (index, phone) in phones.enumerated() { try call(from: phone, to: phones[1 - index]) }
                // So long that the peer has told of what it lost.
                sleep(8)
                var isClean = countsAreTrue()
                for thread in ["offhook-media", "offhook-device"] {
                    let before = frames(phones)
                    allocation_count_start(thread)
                    sleep(seconds)
                    let counts = allocation_count_stop()
                    let moved = frames(phones) - before
                    isClean = isClean && counts.allocations == 0 && counts.frees == 0 && moved > 0
                    print(
                        """
                        {"name":"allocations","thread":"\(thread)","packets":\(moved),\
                        "allocations":\(counts.allocations),"frees":\(counts.frees)}
                        """)
                }
                for phone in phones { phone.engine.shutDown() }
                exit(isClean ? 0 : 1)
            } catch {
                Benchmarks.fail("\(error)")
            }
        }
    }

    private struct Phone {
        let engine: MediaEngine
        let ports: MediaPorts
    }

    /// The counter is trusted only where it counts what is known.
    private static func countsAreTrue() -> Bool {
        allocation_count_start("")
        for size in 1...100 { consume([UInt8](repeating: 0, count: 1000 + size)) }
        let counts = allocation_count_stop()
        print("{\"name\":\"allocations\",\"thread\":\"control\",\"allocations\":\(counts.allocations)}")
        return counts.allocations >= 100
    }

    private static func openPhone(_ name: String, seed: UInt64) throws -> Phone {
        let card = AudioSpec.alsa("card_\(name)")
        var impairment = NetworkImpairment()
        impairment.loss = 0.05
        impairment.burst = 2
        impairment.jitter = .milliseconds(30)
        impairment.seed = seed
        let engine = try MediaEngine(
            .init(
                input: card, output: card, random: RandomSource(seed: seed), impairment: impairment,
                voice: [.echoCancellation, .noiseSuppression, .gainControl]))
        try engine.start()
        return Phone(engine: engine, ports: try engine.bindPorts(address: .loopback))
    }

    private static func call(from phone: Phone, to peer: Phone) throws {
        let configuration = MediaConfiguration(
            codec: .opus, payloadType: 96, receiveFormats: ReceiveFormats([96: .audio(.opus), 97: .redundantAudio]),
            redundancyPayloadType: 97, remoteRTP: peer.ports.rtp, remoteRTCP: peer.ports.rtcp)
        try phone.engine.startSession(id: 1, ports: phone.ports, configuration: configuration)
    }

    private static func frames(_ phones: [Phone]) -> UInt64 {
        phones.reduce(0) { $0 + ($1.engine.statistics(1)?.receivedPackets ?? 0) }
    }

    /// Two crossed cards: what one phone plays the other's microphone hears.
    private static func configureCards() {
        // Beside this program; ALSA takes absolute paths only.
        guard let program = realpath("/proc/self/exe", nil) else { Benchmarks.fail("/proc is not there") }
        defer { free(program) }
        let folder = String(cString: program).split(separator: "/").dropLast().map(String.init)
        let plugin = "/" + (folder + ["libVirtualSoundCard.so"]).joined(separator: "/")
        let line = "/dev/shm/offhook-benchmark-\(getpid())"
        let text = """
            pcm_type.vcard { lib "\(plugin)" }
            pcm.card_a { type asym playback.pcm { type vcard line "\(line)-1" } capture.pcm { type vcard line "\(line)-2" } }
            pcm.card_b { type asym playback.pcm { type vcard line "\(line)-2" } capture.pcm { type vcard line "\(line)-1" } }

            """
        guard let file = fopen("\(line).conf", "w") else { Benchmarks.fail("\(line).conf: cannot be written") }
        fputs(text, file)
        fclose(file)
        setenv("ALSA_CONFIG_PATH", "\(line).conf", 1)
        atexit {
            for end in ["1", "2"] { unlink("/dev/shm/offhook-benchmark-\(getpid())-\(end)") }
            unlink("/dev/shm/offhook-benchmark-\(getpid()).conf")
        }
    }
}
