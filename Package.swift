// swift-tools-version: 6.2
// The manifest is the drawing of the house: one line a room, and what each may use.
// `.ci/check-imports` holds the sources to it, as SwiftPM lets a target import what it reaches only through another.

import PackageDescription

/// Pure value code: no socket, no thread, no clock. See Docs/Architecture.md.
func engine(_ name: String, uses: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: uses, path: "Sources/Engines/\(name)", swiftSettings: swiftSettings)
}

/// A thin driver that gives engines sockets, threads, devices and time.
func runtime(_ name: String, uses: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: uses, path: "Sources/Runtimes/\(name)", swiftSettings: swiftSettings)
}

/// A system library: module map and a header-only shim for what Swift does not import.
func system(_ name: String, pkgConfig: String? = nil, apt: String) -> Target {
    .systemLibrary(
        name: name, path: "Sources/System/\(name)", pkgConfig: pkgConfig, providers: [.apt([apt])])
}

/// Tests of one room, which say what they prove; `data` is a folder beside them with the texts that they compare with or hand to others.
func tests(_ name: String, uses: [Target.Dependency], data: String? = nil) -> Target {
    .testTarget(
        name: name, dependencies: uses + ["Proofs"], path: "Tests/\(name)", exclude: data.map { [$0] } ?? [],
        swiftSettings: swiftSettings)
}

let swiftSettings: [SwiftSetting] = [.enableExperimentalFeature("Lifetimes")]
let collections = Target.Dependency.product(name: "Collections", package: "swift-collections")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
]

let package = Package(
    name: "Offhook",
    products: [
        .executable(name: "offhook", targets: ["offhook"]),
        // What ALSA loads in the tests of the sound card.
        .library(name: "VirtualSoundCard", type: .dynamic, targets: ["VirtualSoundCard"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        engine("EngineKit"),
        engine("SIPMessages", uses: ["EngineKit"]),
        engine("SIPTransactions", uses: ["SIPMessages", "EngineKit", deque]),
        engine("SDP", uses: ["EngineKit"]),
        engine("ServerLocation", uses: ["SIPMessages", "EngineKit", deque]),
        engine("EventPackages", uses: ["CExpat"]),
        engine(
            "SIPUserAgent",
            uses: [
                "SIPTransactions", "SIPMessages", "ServerLocation", "EventPackages", "SDP", "EngineKit", "CCrypto",
                deque,
            ]),
        engine("AudioCodecs", uses: ["EngineKit", "COpus"]),
        engine("RTPMedia", uses: ["AudioCodecs", "EngineKit"]),
        engine("VoiceProcessing", uses: ["EngineKit", "CSpeexDSP"]),
        engine("TerminalUI", uses: ["EngineKit"]),

        runtime(
            "SIPRuntime",
            uses: [
                "SIPUserAgent", "ServerLocation", "SIPTransactions", "SIPMessages", "SDP", "EngineKit", "CCAres",
                "CLinux",
            ] + nio),
        runtime(
            "MediaRuntime",
            uses: ["RTPMedia", "AudioCodecs", "VoiceProcessing", "EngineKit", "CALSA", "CSndfile", "CLinux"]),
        runtime("TerminalRuntime", uses: ["TerminalUI", "EngineKit", "CNcurses", "CLinux"]),

        system("CALSA", pkgConfig: "alsa", apt: "libasound2-dev"),
        system("CCAres", pkgConfig: "libcares", apt: "libc-ares-dev"),
        system("CCrypto", pkgConfig: "libcrypto", apt: "libssl-dev"),
        system("CExpat", pkgConfig: "expat", apt: "libexpat1-dev"),
        system("CNcurses", apt: "libncurses-dev"),
        system("COpus", pkgConfig: "opus", apt: "libopus-dev"),
        system("CSndfile", pkgConfig: "sndfile", apt: "libsndfile1-dev"),
        system("CSpeexDSP", pkgConfig: "speexdsp", apt: "libspeexdsp-dev"),
        .target(name: "CLinux", path: "Sources/System/CLinux"),
        .target(name: "CTOML", path: "Sources/System/CTOML"),

        .target(
            name: "OffhookApp",
            dependencies: [
                "SIPRuntime", "MediaRuntime", "TerminalRuntime", "TerminalUI", "SIPUserAgent", "SIPTransactions",
                "EventPackages",
                "SIPMessages", "SDP", "RTPMedia", "AudioCodecs", "VoiceProcessing", "EngineKit", "CTOML", "CLinux",
                logging,
            ],
            path: "Sources/App/OffhookApp", swiftSettings: swiftSettings),
        .executableTarget(
            name: "offhook", dependencies: ["OffhookApp", argumentParser], path: "Sources/App/offhook",
            swiftSettings: swiftSettings),

        // What tests say that they prove.
        .target(
            name: "Proofs", path: "Tests/Proofs", exclude: ["Subjects.tsv"], swiftSettings: swiftSettings),
        tests("EngineKitTests", uses: ["EngineKit"]),
        tests("SIPMessagesTests", uses: ["SIPMessages", "EngineKit"]),
        tests("SIPTransactionsTests", uses: ["SIPTransactions", "SIPMessages", "EngineKit"]),
        tests("SDPTests", uses: ["SDP", "EngineKit"]),
        // A name server that tests tell what to say.
        .target(name: "NameServer", path: "Tests/NameServer", swiftSettings: swiftSettings),
        tests("ServerLocationTests", uses: ["ServerLocation", "NameServer", "SIPMessages", "EngineKit"]),
        tests("EventPackagesTests", uses: ["EventPackages"]),
        tests(
            "SIPUserAgentTests",
            uses: [
                "SIPUserAgent", "EventPackages", "ServerLocation", "SIPTransactions", "SIPMessages", "SDP", "EngineKit",
            ]),
        // What fuzzers hand bytes to; `.ci/run fuzz` builds the fuzzer itself, as below.
        .target(
            name: "FuzzTargets",
            dependencies: [
                "SIPUserAgent", "ServerLocation", "SIPTransactions", "EventPackages", "SIPMessages", "SDP", "RTPMedia",
                "AudioCodecs", "EngineKit",
            ],
            path: "Tests/FuzzTargets", swiftSettings: swiftSettings),
        tests("FuzzTests", uses: ["FuzzTargets"]),
        .target(
            name: "Simulation",
            dependencies: [
                "SIPUserAgent", "ServerLocation", "SIPTransactions", "SIPMessages", "SDP", "EngineKit", heap,
            ],
            path: "Tests/Simulation", swiftSettings: swiftSettings),
        .executableTarget(
            name: "callsim", dependencies: ["Simulation", argumentParser], path: "Tests/CallSimulator",
            exclude: ["mutate", "mutations.txt", "regress.txt"],
            swiftSettings: swiftSettings),
        tests(
            "CallFlowTests",
            uses: [
                "Simulation", "SIPUserAgent", "ServerLocation", "SIPTransactions", "SIPMessages", "SDP", "EngineKit",
            ]),
        tests("AudioCodecsTests", uses: ["AudioCodecs"]),
        tests("RTPMediaTests", uses: ["RTPMedia", "AudioCodecs", "EngineKit"]),
        tests("VoiceProcessingTests", uses: ["VoiceProcessing", "EngineKit"]),
        tests("TerminalUITests", uses: ["TerminalUI", "EngineKit"], data: "Golden"),
        tests("TerminalRuntimeTests", uses: ["TerminalRuntime", "TerminalUI"]),
        tests(
            "RuntimeTests",
            uses: [
                "SIPRuntime", "SIPUserAgent", "ServerLocation", "SIPTransactions", "SIPMessages", "SDP", "EngineKit",
                "NameServer",
            ] + nio),
        .target(
            name: "VirtualSoundCard", path: "Tests/VirtualSoundCard", cSettings: [.define("PIC")],
            linkerSettings: [.linkedLibrary("asound")]),
        tests(
            "MediaRuntimeTests",
            uses: [
                "MediaRuntime", "RTPMedia", "AudioCodecs", "VoiceProcessing", "EngineKit", "CLinux", "CSndfile",
                "VirtualSoundCard",
            ]),
        tests(
            "OffhookAppTests",
            uses: [
                "OffhookApp", "MediaRuntime", "VoiceProcessing", "RTPMedia", "AudioCodecs", "SIPUserAgent",
                "SIPTransactions",
                "SIPRuntime",
                "SIPMessages",
                "SDP", "EngineKit", logging,
            ]),
        // Drives the binary `offhook`, which a build of the tests puts beside them.
        tests("InteropTests", uses: ["NameServer"], data: "Scenarios"),
        .executableTarget(
            name: "Benchmarks",
            dependencies: [
                "SIPRuntime", "SIPUserAgent", "SIPTransactions", "SIPMessages", "SDP", "MediaRuntime", "RTPMedia",
                "AudioCodecs", "VoiceProcessing", "EngineKit", "COpus", "CAllocationCount", "VirtualSoundCard",
            ],
            path: "Tests/Benchmarks", exclude: ["Peers"], swiftSettings: swiftSettings),
        .executableTarget(name: "flood", path: "Tests/Flood"),
        .target(name: "CAllocationCount", path: "Tests/CAllocationCount"),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)

// Sanitizers and coverage are for the signalling engines and what tests them without sockets: nothing else is built.
if Context.environment["OFFHOOK_SIGNALLING"] != nil {
    let engines = [
        "EngineKit", "SIPMessages", "SIPTransactions", "SDP", "ServerLocation", "EventPackages", "SIPUserAgent",
    ]
    let others = [
        "CCrypto", "CExpat", "COpus", "AudioCodecs", "RTPMedia", "Proofs", "NameServer", "Simulation", "CallFlowTests",
        "FuzzTargets", "FuzzTests",
    ]
    let names = Set(engines + engines.map { "\($0)Tests" } + others)
    package.products = []
    package.targets.removeAll { !names.contains($0.name) }
}

// libFuzzer wants every engine built for it, which no other build may be.
if Context.environment["OFFHOOK_FUZZ"] != nil {
    let instrumented: [SwiftSetting] = [.unsafeFlags(["-sanitize=fuzzer,address"])]
    for target in package.targets where target.path?.hasPrefix("Sources/Engines/") ?? false {
        target.swiftSettings = (target.swiftSettings ?? []) + instrumented
    }
    package.targets.append(
        .executableTarget(
            name: "fuzz", dependencies: ["FuzzTargets"], path: "Tests/Fuzzing", exclude: ["Corpus", "Finds"],
            swiftSettings: swiftSettings + instrumented,
            // gold dies of the debug information that the sanitizers bring.
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])]))
}
