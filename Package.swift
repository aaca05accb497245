// swift-tools-version: 6.0
import PackageDescription

// The rooms of the house, from the ground up. A room imports only rooms below it.
let package = Package(
    name: "Lyceum",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "lyceum", targets: ["lyceum"]),
        .library(name: "Tensors", targets: ["Tensors"]),
        .library(name: "Text", targets: ["Text"]),
        .library(name: "Models", targets: ["Models"]),
        .library(name: "Inference", targets: ["Inference"]),
        .library(name: "Training", targets: ["Training"]),
        .library(name: "Remote", targets: ["Remote"]),
        .library(name: "Laboratory", targets: ["Laboratory"]),
        .library(name: "Catalogue", targets: ["Catalogue"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.5.0"),
    ],
    targets: [
        // C: the kernels, and a loader of Z3's library, which stays optional because it is opened at run time.
        .systemLibrary(
            name: "COneDNN",
            providers: [.apt(["libdnnl-dev"]), .brew(["onednn"])]),
        .target(name: "CKernels"),
        .target(name: "CZ3", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),

        .target(name: "Tensors", dependencies: ["CKernels", "COneDNN"]),
        .target(name: "Text"),
        .target(name: "Models", dependencies: ["Tensors", "Text"]),
        .target(name: "Inference", dependencies: ["Models", "Tensors", "Text"]),
        .target(name: "Training", dependencies: ["Models", "Tensors", "Text"]),
        .target(
            name: "Remote",
            dependencies: ["Inference", .product(name: "AsyncHTTPClient", package: "async-http-client")]),
        .target(
            name: "Laboratory",
            dependencies: [
                "CZ3", "Inference", "Models", "Text", "Training",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Yams", package: "Yams"),
            ]),

        // Methods: one target a family, one file a method.
        .target(
            name: "Reasoning", dependencies: ["Laboratory"], path: "Sources/Methods/Reasoning", exclude: ["README.md"]),
        .target(name: "Decoding", dependencies: ["Laboratory"], path: "Sources/Methods/Decoding"),
        .target(name: "SelfTraining", dependencies: ["Laboratory"], path: "Sources/Methods/SelfTraining"),
        .target(name: "Unlearning", dependencies: ["Laboratory"], path: "Sources/Methods/Unlearning"),
        .target(name: "Efficiency", dependencies: ["Laboratory"], path: "Sources/Methods/Efficiency"),
        .target(
            name: "Catalogue",
            dependencies: ["Laboratory", "Reasoning", "Decoding", "SelfTraining", "Unlearning", "Efficiency"]),

        .executableTarget(
            name: "lyceum",
            dependencies: [
                "Catalogue", "Decoding", "Laboratory", "Inference", "Models", "Reasoning", "Remote", "Tensors", "Text",
                "Training",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        .testTarget(name: "TensorsTests", dependencies: ["Tensors"]),
        .testTarget(name: "TextTests", dependencies: ["Text"]),
        .testTarget(name: "ModelsTests", dependencies: ["Models"], exclude: ["Goldens"]),
        .testTarget(name: "InferenceTests", dependencies: ["Inference"]),
        .testTarget(name: "TrainingTests", dependencies: ["Training", "Inference", "Laboratory"]),
        .testTarget(name: "RemoteTests", dependencies: ["Remote", "Catalogue"]),
        .testTarget(name: "LaboratoryTests", dependencies: ["Laboratory", "Catalogue"]),
        .testTarget(
            name: "MethodsTests",
            dependencies: ["Catalogue", "Reasoning", "Decoding", "SelfTraining", "Unlearning", "Efficiency"]),
    ],
    swiftLanguageModes: [.v6]
)
