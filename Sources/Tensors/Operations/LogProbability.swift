import CKernels

/// The log-probability of each row's target under a softmax of its logits: y[r] = logits[r, t] - log Σ e^logits[r].
///
/// - Parameters:
///   - logits: [rows..., classes]
///   - targets: i32 [rows...]; a negative target is ignored: it gives 0 and no gradient.
public func logProbabilities(_ logits: Tensor, _ targets: Tensor) -> Tensor {
    let rowShape = logits.shape.removing(-1)
    precondition(targets.dtype == .i32 && targets.shape == rowShape, "targets \(targets.shape) for \(logits.shape)")
    let (source, places) = (logits.contiguous(), targets.contiguous())
    let (rows, width) = rowsAndWidth(logits.shape)
    checkTargets(places, classes: width)
    let (result, normaliser) = (Tensor(unfilled: rowShape), Tensor(unfilled: [rows]))
    withExtendedLifetime((source, places, result, normaliser)) {
        let (x, t, y, z) = (source.floatAddress, places.integerAddress, result.floatAddress, normaliser.floatAddress)
        parallel(rows, grain: rowGrain(width)) { part in
            let r = part.lowerBound
            ck_log_probability(x + r * width, t + r, y + r, z + r, Int64(part.count), Int64(width))
        }
    }
    guard records(source) else { return result }
    let saved = source.detached()
    return result.recorded(from: [source]) { dy in
        let dx = Tensor(unfilled: saved.shape)
        withExtendedLifetime((saved, places, normaliser, dy, dx)) {
            let (x, t, z) = (saved.floatAddress, places.integerAddress, normaliser.floatAddress)
            let (d, to) = (dy.floatAddress, dx.floatAddress)
            parallel(rows, grain: rowGrain(width)) { part in
                let r = part.lowerBound
                ck_log_probability_backward(
                    x + r * width, t + r, z + r, d + r, to + r * width, Int64(part.count), Int64(width))
            }
        }
        return [dx]
    }
}

/// Mean of -log p(target) over the rows whose target isn't negative; 0 when there are none.
public func crossEntropy(_ logits: Tensor, _ targets: Tensor) -> Tensor {
    logProbabilities(logits, targets).sum() * (-1 / Float(max(1, countTargets(targets))))
}

func countTargets(_ targets: Tensor) -> Int { targets.integers().reduce(0) { $0 + ($1 >= 0 ? 1 : 0) } }

func checkTargets(_ targets: Tensor, classes: Int) {
    targets.withBytes { bytes in
        for target in bytes.bindMemory(to: Int32.self) {
            precondition(target < classes, "target \(target) of \(classes) classes")
        }
    }
}
