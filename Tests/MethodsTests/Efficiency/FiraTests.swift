import Efficiency
import Foundation
import Inference
import Laboratory
import Models
import Testing
import Text

@Suite struct FiraMethodTests {
    @Test func exactness() throws {
        let exact = try FiraExactness()
        #expect(exact.fullRankError < 1e-5 && exact.fullRankResidual < 1e-5 && exact.basisError < 1e-5)
        #expect(exact.limiterError < 1e-4 && exact.firstFactorError < 1e-3)
    }

    @Test func optionsAreChecked() {
        #expect(throws: OptionError.self) { try FiraMethod.Options { $0.projection = .full } }
        #expect(throws: OptionError.self) { try FiraMethod.Options { $0.gamma = 1 } }
        #expect(throws: OptionError.self) { try FiraMethod.Options { $0.rank = 0 } }
    }

    /// A run on user data beside both baselines: the state of GaLore and Fira is smaller than Adam's, and the written model loads.
    @Test(.timeLimit(.minutes(3))) func runsOnUserData() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lyceum-fira-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let maker = Lab(slug: "fira", subject: nil, outputFolder: folder)
        let start = try maker.newModel(
            "untaught", NewModel(.llama(layers: 1, hiddenSize: 32, heads: 2, contextLength: 64), tokenizer: .bytes()))
        let model = try LocalModel(path: start, reference: start)
        let records = (0..<40).map { JSONValue.object([.init("text", .string("line \($0) of a text of forty lines"))]) }
        let lab = Lab(
            slug: "fira", subject: model, dataSet: DataSet(name: "lines", records: records), outputFolder: folder)
        let options = try FiraMethod.Options {
            $0.rank = 4
            $0.rate = 3e-3
            $0.epochs = 4
        }
        let report = try await FiraMethod().run(options, in: lab)
        let table = try #require(report.blocks.compactMap { if case .table(let one) = $0 { one } else { nil } }.first)
        #expect(table.rows.map(\.[0]) == ["AdamW", "GaLore", "Fira"])
        let bytes = table.rows.compactMap { Int($0[3]) }
        #expect(bytes.count == 3 && bytes[1] < bytes[0] && bytes[2] == bytes[1] + 7 * 4)
        #expect(table.rows[2][4] != "–" && table.rows[0][4] == "–")
        _ = try LocalModel(path: folder.path + "/trained-fira", reference: "fira")
    }
}
