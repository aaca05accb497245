/// Why DOTS can't go on.
public enum DOTSError: Error, Hashable, CustomStringConvertible {
    case emptyLayer(String)
    case repeated(layer: String, item: String)
    case noPlanner
    case noTrainQuestions
    case nothingLearnt(questions: Int)
    case notLocal(String)
    case acceptsNothing(question: String)

    public var description: String {
        switch self {
        case .emptyLayer(let layer):
            "The layer \(layer) has no items; name at least one (\(layer == "solution" ? "CoT" : "none"))."
        case .repeated(let layer, let item): "The layer \(layer) names \(item) twice; each trajectory is searched once."
        case .noPlanner:
            "DOTS needs a planner: give --train-questions (or --task), to search and train one, or --planner with one that is "
                + "trained."
        case .noTrainQuestions:
            "None of the questions in --train-questions are left: those that --data asks as well are set aside, so that "
                + "nothing is reported on what was searched. Give other questions."
        case .nothingLearnt(let questions):
            "The search kept none of \(questions) questions: each is always right, always wrong, or has no right sample of its "
                + "target trajectory. Give harder or easier questions, or more samples (--n)."
        case .notLocal(let model):
            "\(model) can't be trained here. Give --planner-base with a model that runs in this process."
        case .acceptsNothing(let question):
            "The checker of question \(question) counts an empty answer as right; every trajectory would win."
        }
    }
}
