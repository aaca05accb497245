/// The form in which one matrix of a model is held when each is chosen by itself, as training does.
public enum WeightForm: String, Sendable, Hashable, Codable, CaseIterable {
    /// Quantised as in the file; what the file doesn't quantise becomes bf16.
    case asStored = "stored"
    case bf16
    case f32
    /// f32 numbers, multiplied in low precision with f32 sums where that is faster: in bf16, or else in block floating point.
    case mixed
}
