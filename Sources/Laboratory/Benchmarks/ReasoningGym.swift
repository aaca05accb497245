import Foundation
import Inference
import Text

/// Puzzles drawn by the generators of the Python package reasoning-gym, graded by its own verifiers.
///
/// Both run in the sandbox: some verifiers evaluate what they are given. A verifier that breaks down or takes too long on an answer
/// gives it no points.
///
/// Source: Stojanovski et al., "Reasoning Gym: Reasoning Environments for Reinforcement Learning with Verifiable Rewards" (2025),
/// arXiv:2505.24760.
public struct ReasoningGym: Benchmark {
    public let name = "reasoning-gym"
    public let questions: [Question]
    private let bridge: ReasoningGymBridge

    /// Data sets of short questions with short answers, for when none are named.
    public static let standard = [
        "basic_arithmetic", "chain_sum", "count_primes", "gcd", "leg_counting", "letter_counting", "number_filtering",
        "number_sorting", "simple_equations", "spell_backward", "syllogism", "word_sorting",
    ]

    /// Draws questions.
    ///
    /// - Parameters:
    ///   - datasets: names of generators.
    ///   - size: questions of each.
    ///   - seed: the same seed draws the same questions.
    /// - Throws: `BenchmarkError`, `SandboxError`.
    public init(datasets: [String] = standard, size: Int = 10, seed: UInt64) async throws {
        bridge = try await ReasoningGymBridge(datasets: datasets, size: size, seed: seed)
        questions = try await bridge.questions()
    }

    public func score(_ solution: Solution, of question: Question) async throws -> Double {
        try await bridge.score(solution.answer, of: question.id)
    }
}

/// A Python session that holds the package and the questions it drew; when an answer ends it, the next one starts another.
private actor ReasoningGymBridge {
    private let sandbox: Sandbox
    private let files: [String: [UInt8]]
    private let datasets: [String]
    private let size: Int
    private let seed: UInt64
    private var session: SandboxSession?
    /// What the session wrote when it drew the questions; each one draws the same.
    private var drawn = ""
    /// One block at a time.
    private let turn = AsyncSemaphore(permits: 1)

    init(datasets: [String], size: Int, seed: UInt64) async throws {
        let folder = Folders.cache.appendingPathComponent("suites/reasoning-gym", isDirectory: true)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        guard names.contains(where: { $0.hasPrefix("reasoning_gym-") }) else {
            throw BenchmarkError.notInstalled(suite: "reasoning-gym", path: folder.path)
        }
        var files: [String: [UInt8]] = [:]
        for name in names where name.hasSuffix(".whl") || name.hasSuffix(".tar.gz") {
            files[name] = try Array(Data(contentsOf: folder.appendingPathComponent(name)))
        }
        self.files = files
        self.datasets = datasets
        self.size = size
        self.seed = seed
        sandbox = try await Sandbox(
            limits: SandboxLimits(
                wallSeconds: 120, processorSeconds: 120, memoryBytes: 2 << 30, fileBytes: 64 << 20,
                storageBytes: 512 << 20, outputBytes: 32 << 20))
    }

    deinit {
        if let session { Task { await session.close() } }
    }

    /// The session that holds the questions, a new one where an answer has ended the last.
    private func open() async throws -> SandboxSession {
        if let session, await session.sessionEnd == nil { return session }
        let fresh = try await sandbox.session(files: files)
        let result = try await fresh.run(Self.program)
        if let problem = result.exception ?? result.sessionEnd {
            throw BenchmarkError.broken(
                suite: "reasoning-gym", "its Python package can't be loaded (\(problem)). Type: make suites")
        }
        let names = datasets.map { name in "\"\(name.filter { $0.isLetter || $0.isNumber || $0 == "_" })\"" }
        let drawing = try await fresh.run("draw([\(names.joined(separator: ", "))], \(size), \(seed & 0x7FFF_FFFF))")
        if let problem = drawing.exception ?? drawing.sessionEnd {
            throw BenchmarkError.broken(suite: "reasoning-gym", problem)
        }
        drawn = drawing.output
        session = fresh
        return fresh
    }

    func questions() async throws -> [Question] {
        try await turn.withPermit { @Sendable in _ = try await self.open() }
        let reply = try JSONValue(parsing: Array(drawn.utf8))
        if let part = reply["unknown"]?.stringValue {
            let known = reply["known"]?.arrayValue?.compactMap(\.stringValue) ?? []
            throw BenchmarkError.unknownPart(suite: "reasoning-gym", part: part, known: known)
        }
        guard let drawn = reply.arrayValue else {
            throw BenchmarkError.broken(suite: "reasoning-gym", "it drew no questions.")
        }
        return try drawn.map { item in
            guard let id = item["id"]?.stringValue, let text = item["question"]?.stringValue else {
                throw BenchmarkError.broken(suite: "reasoning-gym", "a question can't be read.")
            }
            let gold = item["answer"]?.stringValue
            let isBlock = gold?.contains(where: \.isNewline) ?? true
            return Question(
                id: id, text, kind: isBlock ? .block : .text, golds: gold.map { [$0] } ?? [],
                subject: item["dataset"]?.stringValue)
        }
    }

    func score(_ answer: String, of id: String) async throws -> Double {
        let bytes = Data(answer.prefix(20_000).utf8).base64EncodedString()
        let result = try await turn.withPermit { @Sendable in
            try await self.open().run("score(\"\(id)\", \"\(bytes)\")")
        }
        guard result.exception == nil, let value = result.value.flatMap(Double.init), value.isFinite else { return 0 }
        return min(1, max(0, value))
    }

    /// Unpacks the packages, puts empty modules in the place of what only draws pictures, and defines `draw` and `score`.
    private static let program = #"""
        import base64, glob, importlib.abc, importlib.machinery, json, signal, sys, tarfile, types, zipfile

        class Empty(types.ModuleType):
            def __getattr__(self, name):
                if name.startswith("__"):
                    raise AttributeError(name)
                return lambda *values, **named: None

        class Pictures(importlib.abc.MetaPathFinder, importlib.abc.Loader):
            def find_spec(self, name, path, target=None):
                if name.split(".")[0] in ("matplotlib", "mpl_toolkits", "rich", "drawsvg"):
                    return importlib.machinery.ModuleSpec(name, self, is_package=True)
            def create_module(self, spec):
                return Empty(spec.name)
            def exec_module(self, module):
                pass

        sys.meta_path.append(Pictures())
        for archive in sorted(glob.glob("/input/*")):
            if archive.endswith(".whl"):
                with zipfile.ZipFile(archive) as file:
                    file.extractall("/tmp/packages")
            else:
                with tarfile.open(archive) as file:
                    for member in file.getmembers():
                        member.name = member.name.partition("/")[2]
                        if member.isfile() and member.name:
                            file.extract(member, "/tmp/packages")
        sys.path.insert(0, "/tmp/packages")
        import reasoning_gym
        from reasoning_gym.factory import DATASETS

        drawn = {}

        def draw(names, size, seed):
            known = sorted(name for name in DATASETS if name != "composite")
            items = []
            for name in names:
                if name not in known:
                    print(json.dumps({"unknown": name, "known": known}))
                    return
                data = reasoning_gym.create_dataset(name, size=size, seed=seed)
                for place in range(size):
                    entry = data[place]
                    key = "%s/%d" % (name, place + 1)
                    drawn[key] = (data, entry)
                    answer = entry["answer"]
                    items.append({"id": key, "dataset": name, "question": entry["question"],
                                  "answer": None if answer is None else str(answer)})
            print(json.dumps(items))

        def late(number, frame):
            raise TimeoutError("the verifier took too long")

        def score(key, answer):
            data, entry = drawn[key]
            signal.signal(signal.SIGALRM, late)
            signal.alarm(10)
            try:
                return float(data.score_answer(base64.b64decode(answer).decode("utf-8", "replace"), entry))
            except BaseException:
                return 0.0
            finally:
                signal.alarm(0)
        """#
}
