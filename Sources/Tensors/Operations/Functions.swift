import CKernels

/// eˣ
public func exp(_ x: Tensor) -> Tensor { apply(CK_EXP, x) }
/// Natural logarithm.
public func log(_ x: Tensor) -> Tensor { apply(CK_LOG, x) }
public func sqrt(_ x: Tensor) -> Tensor { apply(CK_SQRT, x) }
public func square(_ x: Tensor) -> Tensor { apply(CK_SQUARE, x) }
public func abs(_ x: Tensor) -> Tensor { apply(CK_ABS, x) }
/// σ(x) = 1 / (1 + e⁻ˣ)
public func sigmoid(_ x: Tensor) -> Tensor { apply(CK_SIGMOID, x) }
/// log σ(x), without overflow for large |x|.
public func logSigmoid(_ x: Tensor) -> Tensor { apply(CK_LOG_SIGMOID, x) }
public func tanh(_ x: Tensor) -> Tensor { apply(CK_TANH, x) }
public func relu(_ x: Tensor) -> Tensor { apply(CK_RELU, x) }
/// x σ(x), the gate of Llama.
public func silu(_ x: Tensor) -> Tensor { apply(CK_SILU, x) }

/// The two forms of the Gaussian error unit in use.
public enum GELUForm: Sendable {
    /// x Φ(x), with the error function (BERT).
    case exact
    /// x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2 (GPT-2, Gemma).
    case tanh
}

public func gelu(_ x: Tensor, _ form: GELUForm = .exact) -> Tensor {
    apply(form == .exact ? CK_GELU : CK_GELU_TANH, x)
}

/// cap · tanh(x / cap): keeps numbers within ± cap.
public func softcap(_ x: Tensor, _ cap: Float) -> Tensor {
    let result = elementwise(x) { x, y, n in ck_softcap(x, cap, y, n) }
    guard records(x) else { return result }
    return result.recorded(from: [x]) { dy in
        [elementwise(result, dy) { y, dy, dx, n in ck_softcap_backward(y, dy, cap, dx, n) }]
    }
}

private func apply(_ function: ck_function, _ x: Tensor) -> Tensor {
    let result = elementwise(x) { x, y, n in ck_apply(function, x, y, n) }
    guard records(x) else { return result }
    let source = x.detached().contiguous()
    return result.recorded(from: [x]) { dy in
        let dx = Tensor(unfilled: dy.shape)
        withExtendedLifetime((source, result, dy, dx)) {
            let (a, b, d, to) = (source.floatAddress, result.floatAddress, dy.floatAddress, dx.floatAddress)
            parallel(dx.count, grain: elementGrain) { part in
                let i = part.lowerBound
                ck_apply_backward(function, a + i, b + i, d + i, to + i, Int64(part.count))
            }
        }
        return [dx]
    }
}
