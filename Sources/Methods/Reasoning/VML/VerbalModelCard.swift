import Foundation
import Inference
import Laboratory
import Text

/// A trained verbal model as a text file: what a reader reads, another model can follow, and `predict` uses.
///
/// The file is a first line that names the form, the task as JSON between lines, and the descriptions.
package struct VerbalModelCard: Sendable, Hashable {
    package var task: VerbalTask
    package var descriptions: String

    package init(_ task: VerbalTask, descriptions: String) {
        self.task = task
        self.descriptions = descriptions
    }

    private static let heading = "# Verbal model 1"
    private static let rule = "## Descriptions"

    package func text() throws -> String {
        "\(Self.heading)\n\n```json\n\(try JSONValueEncoder.encode(task).text())\n```\n\n\(Self.rule)\n\n"
            + descriptions + "\n"
    }

    package init(parsing text: String, path: String) throws {
        guard text.utf8.count < 1 << 20 else { throw VerbalError.badCard(path: path, "it is larger than 1 MiB") }
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        guard lines.first == Self.heading[...] else {
            throw VerbalError.badCard(path: path, "its first line is not \(Self.heading.debugDescription)")
        }
        guard let rule = lines.firstIndex(of: Self.rule[...]),
            let json = lines[..<rule].first(where: { $0.hasPrefix("{") }),
            let value = try? JSONValue(parsing: String(json)),
            let task = try? JSONValueDecoder.decode(VerbalTask.self, from: value)
        else { throw VerbalError.badCard(path: path, "its task can't be read") }
        self.task = task
        descriptions = lines[(rule + 1)...].joined(separator: "\n").trimmingSpaces
    }

    package init(path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw VerbalError.badCard(path: path, "it can't be read")
        }
        try self.init(parsing: String(decoding: data, as: UTF8.self), path: path)
    }

    /// f(x; θ) for every input, a call each.
    package func predict(
        _ inputs: [VerbalValue], wording: VerbalWording = .standard, calls: VerbalCalls
    ) async throws -> [VerbalValue?] {
        let learner = VerbalLearner(task, wording: wording, calls: calls)
        return try await learner.predictAll(
            inputs.map { VerbalPoint($0, $0) }, parameters: task.parameters(descriptions), as: "predict"
        ).map(\.value)
    }
}
