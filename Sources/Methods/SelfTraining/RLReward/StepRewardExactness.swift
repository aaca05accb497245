import Laboratory

/// What Clip and Delta promise, worked out on random scores.
struct StepRewardExactness {
    /// The largest distance of Delta's return from step k from p_k (k < K), and from 0 for the last step.
    let telescopeError: Double
    /// The largest reward that Clip pays.
    let largestClip: Double
    /// How much a filler step with its neighbour's score changes the return from step 1, at most: of Delta and Clip-Delta in size, of
    /// Clip upwards.
    let fillerError: Double
    /// How much such a step adds to the process reward's return, at least.
    let leastProcessGain: Double
    /// The share of texts on which Delta of Clip differs from Clip of Delta.
    let orderMatters: Double

    init(using generator: inout SeededGenerator, count: Int = 400) {
        let threshold = 0.6
        func total(_ mode: StepReward, _ scores: [Double]) -> Double {
            mode.rewards(scores, threshold: threshold).reduce(0, +)
        }
        var (telescope, clip, filler, gain, different) = (0.0, -Double.infinity, 0.0, Double.infinity, 0)
        for _ in 0..<count {
            let scores = (0..<2 + generator.below(9)).map { _ in generator.uniform() }
            let delta = StepReward.delta.rewards(scores, threshold: threshold)
            for k in scores.indices {
                let wanted = k < scores.count - 1 ? scores[k] : 0
                telescope = max(telescope, abs(delta[k...].reduce(0, +) - wanted))
            }
            clip = max(clip, StepReward.clip.rewards(scores, threshold: threshold).max() ?? 0)
            let filled = [scores[0]] + scores
            for mode in [StepReward.delta, .clipDelta] {
                filler = max(filler, abs(total(mode, filled) - total(mode, scores)))
            }
            filler = max(filler, total(.clip, filled) - total(.clip, scores))
            gain = min(gain, total(.process, filled) - total(.process, scores))
            let other = StepReward.clip.rewards(delta, threshold: threshold)
            different += StepReward.clipDelta.rewards(scores, threshold: threshold) == other ? 0 : 1
        }
        telescopeError = telescope
        largestClip = clip
        fillerError = filler
        leastProcessGain = gain
        orderMatters = Double(different) / Double(count)
    }
}
