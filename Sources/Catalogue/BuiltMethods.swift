import Decoding
import Laboratory
import Reasoning

/// The methods that run. A method registers here and nowhere else.
let builtMethods: [any Method.Type] = [
    AutoPASTA.self, CQoT.self, JekyllHyde.self, QKScore.self, SEC.self, USCD.self, WILT.self, ZeroShotCoT.self,
]
