import Foundation
import Laboratory
import Models
import Text
import Training

extension SampleEncoder {
    /// What is rated, with the places that are: each word's end, or the whole's.
    mutating func rated(_ content: RatedContent) throws -> (text: TokenSequence, places: [Int]) {
        let text: TokenSequence
        switch content {
        case .text(let whole): text = self.text(whole)
        case .words(let words): return try self.words(words)
        case .conversation(let turns): text = try self.turns(turns)
        }
        guard text.count > 1 else { throw TrainingError.badSetting("text", reason: "it has no token to be rated") }
        return (text, [text.count - 1])
    }

    /// What has scores, with the places that have: each step's end, or the whole's.
    mutating func rated(_ content: ScoredRecord.Content) throws -> (text: TokenSequence, places: [Int]) {
        switch content {
        case .steps(let prompt, let steps): try self.steps(prompt: prompt, steps)
        case .whole(let content): try rated(content)
        }
    }
}

extension TextRater {
    /// - Parameters:
    ///   - folder: of a training run.
    ///   - typed: the model that was trained, as it was typed; nil: the one that the folder names, or holds.
    init(folder: String, model typed: String?, head: String? = nil, precision: ComputePrecision) throws {
        let folder = Folders.expandingHome(folder)
        try self.init(folder: folder, base: Self.base(of: folder, typed), head: head, precision: precision)
    }

    private static func base(of folder: String, _ typed: String?) throws -> String {
        if let own = try TrainedFolder.ownModel(in: folder) {
            guard typed == nil else {
                throw Refusal(description: "\(folder) is a model of its own; leave --model out.")
            }
            return own
        }
        if let typed { return try ModelReference(typed).localPath() }
        guard let named = TrainedFolder.baseModel(of: folder) else {
            throw Refusal(description: "\(folder) doesn't say which model it was trained beside; give it with --model.")
        }
        guard FileManager.default.fileExists(atPath: named) else {
            throw Refusal(
                description: "\(folder) was trained beside \(named), which isn't here. Give the model with --model, "
                    + "or merge the two first (lyceum merge).")
        }
        return named
    }
}
