import Tensors
import Testing

@Suite struct SingularVectorsTests {
    func largestGap(_ a: Tensor, _ b: Tensor) -> Float {
        zip(a.floats(), b.floats()).reduce(0) { max($0, abs($1.0 - $1.1)) }
    }

    func identityGap(_ columns: Tensor) -> Float {
        let products = matmul(columns.transposed(), columns)
        let size = products.shape[0]
        return products.floats().enumerated().reduce(0) {
            max($0, abs($1.element - ($1.offset % (size + 1) == 0 ? 1 : 0)))
        }
    }

    /// [[3, 0], [4, 5]] has the values √45 and √5.
    @Test func byHand() {
        let found = singularVectors(Tensor([3, 0, 4, 5] as [Float], [2, 2]))
        #expect(
            abs(found.values[0] - Float(45).squareRoot()) < 1e-5 && abs(found.values[1] - Float(5).squareRoot()) < 1e-5)
        #expect(abs(abs(found.left.floats()[0]) - 1 / Float(10).squareRoot()) < 1e-5)
    }

    @Test(arguments: [[7, 12], [12, 7], [1, 5], [5, 1], [40, 40]]) func exact(_ sides: [Int]) {
        let x = Tensor.normal(Shape(sides), seed: 4)
        let found = singularVectors(x)
        let again = matmul(found.left * Tensor(found.values), found.right.transposed())
        #expect(largestGap(again, x) < 1e-5)
        #expect(identityGap(found.left) < 1e-5 && identityGap(found.right) < 1e-5)
        #expect(found.values == found.values.sorted(by: >))
    }

    /// Bases stay orthonormal where nothing is left to span.
    @Test func deficient() {
        let x = matmul(Tensor.normal([6, 2], seed: 1), Tensor.normal([2, 9], seed: 2))
        let found = singularVectors(x, rank: 5)
        #expect(found.values[2...].allSatisfy { $0 < 1e-5 })
        #expect(identityGap(found.left) < 1e-5 && identityGap(found.right) < 1e-5)
        #expect(identityGap(singularVectors(.zeros([3, 4])).right) < 1e-6)
        #expect(identityGap(orthonormalColumns(Tensor.ones([8, 3]))) < 1e-5)
    }

    /// Large matrices: the subspace iteration finds what the exact decomposition does.
    @Test(arguments: [[120, 200], [200, 120]]) func leading(_ sides: [Int]) {
        // Values that fall as 1/k, as gradients' do.
        let size = 120
        let left = orthonormalColumns(Tensor.normal([sides[0], size], seed: 7))
        let right = orthonormalColumns(Tensor.normal([sides[1], size], seed: 8))
        let values = (1...size).map { 1 / Float($0) }
        let x = matmul(left * Tensor(values), right.transposed())
        let found = singularVectors(x, rank: 6)
        for (value, expected) in zip(found.values, values) { #expect(abs(value - expected) < 1e-3 * expected) }
        #expect(identityGap(found.left) < 1e-5)
        let share = matmul(left.slice(1, 0..<6).transposed(), found.left)
        #expect(abs(dot(share, share) - 6) < 1e-2)
    }
}
