import CKernels

/// The function of a gated unit's gate.
public enum GateFunction: Sendable {
    case silu
    case gelu(GELUForm)

    var kernel: ck_function {
        switch self {
        case .silu: CK_SILU
        case .gelu(.exact): CK_GELU
        case .gelu(.tanh): CK_GELU_TANH
        }
    }
}

/// silu(gate) · up, where one product made both: `gateUp` [rows, 2 · width] holds the gate in its first half and up in
/// its second. [rows, width]
public func swiglu(_ gateUp: Tensor) -> Tensor { gatedUnit(gateUp, .silu) }

/// silu(gate) · up, elementwise.
public func swiglu(gate: Tensor, up: Tensor) -> Tensor { gatedUnit(gate: gate, up: up, .silu) }

/// f(gate) · up with gate and up side by side, [..., 2 · width] → [..., width].
public func gatedUnit(_ gateUp: Tensor, _ function: GateFunction) -> Tensor {
    precondition(gateUp.dtype == .f32 && gateUp.shape.last % 2 == 0, "a gated unit of shape \(gateUp.shape)")
    let source = gateUp.contiguous()
    let (rows, double) = rowsAndWidth(source.shape)
    let width = double / 2
    var shape = source.shape
    shape[-1] = width
    let result = Tensor(unfilled: shape)
    withExtendedLifetime((source, result)) {
        forward(
            function.kernel, source.floatAddress, source.floatAddress + width, double, result.floatAddress, rows, width)
    }
    guard records(source) else { return result }
    let saved = source.detached()
    return result.recorded(from: [source], remake: { gatedUnit(saved, function) }) { dz, _ in
        let d = Tensor(unfilled: saved.shape)
        withExtendedLifetime((saved, dz, d)) {
            backward(
                function.kernel, saved.floatAddress, saved.floatAddress + width, double, dz.floatAddress,
                d.floatAddress,
                d.floatAddress + width, double, rows, width)
        }
        return [d]
    }
}

/// f(gate) · up with gate and up apart, of one shape.
public func gatedUnit(gate: Tensor, up: Tensor, _ function: GateFunction) -> Tensor {
    precondition(gate.shape == up.shape && gate.dtype == .f32 && up.dtype == .f32, "gate \(gate.shape), up \(up.shape)")
    let (gate, up) = (gate.contiguous(), up.contiguous())
    let (rows, width) = rowsAndWidth(gate.shape)
    let result = Tensor(unfilled: gate.shape)
    withExtendedLifetime((gate, up, result)) {
        forward(function.kernel, gate.floatAddress, up.floatAddress, width, result.floatAddress, rows, width)
    }
    guard records(gate, up) else { return result }
    let (savedGate, savedUp) = (gate.detached(), up.detached())
    return result.recorded(
        from: [gate, up], remake: { gatedUnit(gate: savedGate, up: savedUp, function) }
    ) { dz, _ in
        let (dGate, dUp) = (Tensor(unfilled: dz.shape), Tensor(unfilled: dz.shape))
        withExtendedLifetime((savedGate, savedUp, dz, dGate, dUp)) {
            backward(
                function.kernel, savedGate.floatAddress, savedUp.floatAddress, width, dz.floatAddress,
                dGate.floatAddress, dUp.floatAddress, width, rows, width)
        }
        return [dGate, dUp]
    }
}

private func forward(
    _ function: ck_function, _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>, _ stride: Int,
    _ z: UnsafeMutablePointer<Float>, _ rows: Int, _ width: Int
) {
    parallel(rows, grain: rowGrain(width)) { part in
        let at = part.lowerBound
        ck_gated(
            function, gate + at * stride, Int64(stride), up + at * stride, Int64(stride), z + at * width,
            Int64(part.count),
            Int64(width))
    }
}

private func backward(
    _ function: ck_function, _ gate: UnsafePointer<Float>, _ up: UnsafePointer<Float>, _ stride: Int,
    _ dz: UnsafePointer<Float>, _ dGate: UnsafeMutablePointer<Float>, _ dUp: UnsafeMutablePointer<Float>,
    _ gradientStride: Int, _ rows: Int, _ width: Int
) {
    parallel(rows, grain: rowGrain(width)) { part in
        let at = part.lowerBound
        ck_gated_backward(
            function, gate + at * stride, Int64(stride), up + at * stride, Int64(stride), dz + at * width,
            dGate + at * gradientStride, Int64(gradientStride), dUp + at * gradientStride, Int64(gradientStride),
            Int64(part.count), Int64(width))
    }
}
