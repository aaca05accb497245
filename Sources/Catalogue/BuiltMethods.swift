import Decoding
import Efficiency
import Laboratory
import Reasoning
import Unlearning

/// The methods that run. A method registers here and nowhere else.
let builtMethods: [any Method.Type] = [
    AutoPASTA.self, CQoT.self, DOTS.self, FiraMethod.self, FuRePA.self, JekyllHyde.self, NPO.self, QKScore.self,
    SEC.self,
    USCD.self, VML.self, WILT.self, ZeroShotCoT.self,
]
