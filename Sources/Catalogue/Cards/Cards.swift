import Inference
import Laboratory

/// The cards of methods that are not built yet, a file a family. A built method brings its own card; its planned one goes.
enum Cards {
    static var planned: [MethodCard] {
        [
            reasoning, decoding, selfTraining, agents, alignment, honesty, security, unlearning, privacy, efficiency,
            serving, multimodal, formal, evaluation,
        ].flatMap { $0 }
    }

    static func planned(
        _ slug: String, _ family: Family, _ name: String, _ kinds: [MethodKind], _ summary: String, _ paper: Paper,
        needs: Capabilities = .completion
    ) -> MethodCard {
        MethodCard(
            slug, family, name: name, kinds, summary, paper: paper, needs: needs, status: .planned)
    }
}
