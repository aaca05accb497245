import Foundation
import Inference

extension Lab {
    /// The model that compares sentences: the one at a path, else all-MiniLM-L6-v2 where it is installed, else nil.
    public func sentenceEncoder(_ path: Path? = nil) throws -> (any EmbeddingModel)? {
        if let path { return try openEmbeddingModel(path: path.expanded, reference: path.string) }
        let place = PackagedModel.minilm.place.path
        guard FileManager.default.fileExists(atPath: place) else { return nil }
        return try openEmbeddingModel(path: place, reference: PackagedModel.minilm.rawValue)
    }
}
