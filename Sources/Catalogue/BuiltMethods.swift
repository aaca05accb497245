import Decoding
import Laboratory
import Reasoning

/// The methods that run. A method registers here and nowhere else.
let builtMethods: [any Method.Type] = [AutoPASTA.self, QKScore.self, USCD.self, ZeroShotCoT.self]
