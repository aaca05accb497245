import Tensors

/// Sums a step's gradients over the ranks and hands the moved parameters round.
///
/// Each parameter belongs to one rank, which alone keeps the optimiser's state of it (Rajbhandari et al. 2020, ZeRO's first two stages). Its gradient
/// is summed there, and nowhere else, and the parameter goes back to the others: together as many numbers travel as if every rank had
/// the whole sum, for half of the additions. A sum sets out as soon as the last backward pass of the step has made a bucket's gradients, while the pass goes on;
/// buckets set out in the same order on every rank.
final class GradientExchange {
    private let ranks: any Communicator
    private let parameters: [Parameter]
    let shares: ParameterShares

    /// By parameter: a gradient that waits for its bucket, and then, where this rank owns it, the sum.
    private var gradients: [Tensor?]
    /// Whether the gradient is in its last state.
    private var isFinal: [Bool]
    /// Whether this rank's passes reached the parameter.
    private var isReached: [Bool]
    private var nextBucket = 0
    private var underWay: [any Transfer] = []
    private var failure: (any Error)?

    init(_ parameters: [Parameter], over ranks: any Communicator) {
        self.ranks = ranks
        self.parameters = parameters
        shares = ParameterShares(parameters.map(\.count), over: ranks.size)
        gradients = parameters.map { _ in nil }
        isFinal = parameters.map { _ in false }
        isReached = isFinal
    }

    func owns(_ parameter: Int) -> Bool { shares.owners[parameter] == ranks.rank }

    // MARK: Sums

    /// What the last pass of a step gives its gradients to, as they become final.
    var finalGradients: FinalGradients {
        FinalGradients(of: parameters.map(\.tensor)) { [self] place, gradient in
            // The backward pass can't fail; `sums` tells what went wrong.
            guard failure == nil else { return }
            do { try take(consume gradient, of: place) } catch { failure = error }
        }
    }

    private func take(_ gradient: consuming Tensor, of place: Int) throws {
        gradients[place] = gradient.unshared()
        isReached[place] = true
        isFinal[place] = true
        try startBuckets()
        underWay = try underWay.filter { try !$0.isDone() }
    }

    private func startBuckets() throws {
        while nextBucket < shares.buckets.count, shares.buckets[nextBucket].members.allSatisfy({ isFinal[$0] }) {
            try start(shares.buckets[nextBucket])
            nextBucket += 1
        }
    }

    private func start(_ bucket: ParameterShares.Bucket) throws {
        func gradient(_ member: Int) -> Tensor { gradients[member] ?? .zeros(parameters[member].tensor.shape) }
        let isOwn = bucket.owner == ranks.rank
        var parts: [(member: Int, tensor: Tensor)] = []
        let joined: Tensor
        if bucket.members.count == 1 {
            joined = gradient(bucket.members[0])
            parts.append((bucket.members[0], joined))
        } else {
            // Every part begins where vectors are aligned.
            let sizes = bucket.members.map { (parameters[$0].count + 15) / 16 * 16 }
            joined = .zeros([sizes.reduce(0, +)])
            var place = 0
            for (member, size) in zip(bucket.members, sizes) {
                let part = joined.slice(0, place..<place + parameters[member].count).reshaped(
                    parameters[member].tensor.shape)
                part.assign(gradient(member))
                parts.append((member, part))
                place += size
            }
        }
        for (member, part) in parts { gradients[member] = isOwn ? part : nil }
        underWay.append(try ranks.startSum(joined, at: bucket.owner))
    }

    /// Sends what is left and waits for all sums.
    ///
    /// - Parameter rest: gradients that no pass has handed over.
    /// - Returns: by parameter: Σ g², and whether any rank's passes reached it. The same on every rank.
    func sums(_ rest: consuming Gradients) throws -> (squares: [Double], isReached: [Bool]) {
        if let failure { throw failure }
        for place in parameters.indices where !isFinal[place] {
            if let gradient = rest.take(parameters[place].tensor) {
                gradients[place] = gradient.unshared()
                isReached[place] = true
            }
            isFinal[place] = true
            try startBuckets()
        }
        try finishTransfers()
        let squares = gradients.map { gradient in gradient.map { Double(dot($0, $0)) } ?? 0 }
        let found = try ranks.sum(squares + isReached.map { $0 ? 1 : 0 })
        for place in parameters.indices { (isFinal[place], isReached[place]) = (false, false) }
        nextBucket = 0
        return (Array(found[..<parameters.count]), found[parameters.count...].map { $0 > 0 })
    }

    /// The summed gradient of a parameter, at the rank that owns it. Lets go of it.
    func takeSum(_ parameter: Int) -> Tensor? {
        defer { gradients[parameter] = nil }
        return gradients[parameter]
    }

    /// Waits for all sums and parameters that have set out.
    func finishTransfers() throws {
        for transfer in underWay { try transfer.wait() }
        underWay = []
    }

    // MARK: Parameters

    /// Sets out to write the owner's numbers of a parameter over everybody's.
    func startSpread(_ parameter: Int) throws {
        underWay.append(try ranks.startSpread(parameters[parameter].tensor.detached(), from: shares.owners[parameter]))
    }

    /// Writes the first rank's parameters over everybody's.
    func spreadFromFirst() throws {
        for parameter in parameters { underWay.append(try ranks.startSpread(parameter.tensor.detached(), from: 0)) }
        try finishTransfers()
    }

    // MARK: The optimiser's state

    /// A tensor of a parameter's state.
    private struct Part: Codable {
        var parameter: Int
        var name: String
        var shape: [Int]
    }

    private func parts(_ states: [String: ParameterState]) -> [Part] {
        parameters.enumerated().flatMap { place, parameter in
            (states[parameter.name]?.tensors ?? [:]).sorted { $0.key < $1.key }.map {
                Part(parameter: place, name: $0.key, shape: $0.value.shape.dimensions)
            }
        }
    }

    /// The state of every parameter, at the first rank; elsewhere what the rank has.
    func gathered(_ states: [String: ParameterState]) throws -> [String: ParameterState] {
        var all = states
        for (owner, parts) in try ranks.gather(parts(states)).enumerated() where owner > 0 {
            for part in parts {
                let name = parameters[part.parameter].name
                if ranks.isFirst {
                    let tensor = Tensor(unfilled: Shape(part.shape))
                    try ranks.receive(tensor, from: owner)
                    all[name, default: ParameterState()].tensors[part.name] = tensor
                } else if owner == ranks.rank, let tensor = states[name]?.tensors[part.name] {
                    try ranks.send(tensor.contiguous(), to: 0)
                }
            }
        }
        return all
    }

    /// What each rank keeps of the state that the first rank has.
    func sharedOut(_ states: [String: ParameterState]) throws -> [String: ParameterState] {
        var own: [String: ParameterState] = [:]
        for part in try ranks.fromFirst(parts(states)) {
            let (name, owner) = (parameters[part.parameter].name, shares.owners[part.parameter])
            let known = states[name]?.tensors[part.name]
            if owner == ranks.rank {
                let tensor = known ?? Tensor(unfilled: Shape(part.shape))
                if !ranks.isFirst { try ranks.receive(tensor, from: 0) }
                own[name, default: ParameterState()].tensors[part.name] = tensor
            } else if ranks.isFirst, let known {
                try ranks.send(known.contiguous(), to: owner)
            }
        }
        return own
    }
}

extension OptimiserRun {
    /// Takes one step with gradients that are summed over the ranks: each rank moves the parameters that it owns. Gives the norm that
    /// all of them had.
    mutating func step(
        _ parameters: [Parameter], _ exchange: GradientExchange, _ rest: consuming Gradients, scale: Double,
        number: Int, update: Int? = nil, of total: Int, seed: UInt64
    ) throws -> Double {
        let (squares, isReached) = try exchange.sums(rest)
        let norm = scale * squares.reduce(0, +).squareRoot()
        guard norm.isFinite else { return norm }
        try GradientMode.withoutGradients {
            for (place, parameter) in parameters.enumerated() {
                let gradient = exchange.takeSum(place)
                guard isReached[place] else { continue }
                if let gradient {
                    move(
                        parameter, consume gradient, factor: factor(scale: scale, norm: norm),
                        settings.step(number, update: update, of: total, for: parameter, seed: seed))
                }
                try exchange.startSpread(place)
            }
        }
        try exchange.finishTransfers()
        return norm
    }
}
