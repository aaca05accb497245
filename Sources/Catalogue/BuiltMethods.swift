import Decoding
import Efficiency
import Laboratory
import Reasoning
import SelfTraining
import Unlearning

/// The methods that run. A method registers here and nowhere else.
let builtMethods: [any Method.Type] = [
    ATS.self,
    AutoPASTA.self,
    CQoT.self,
    DOTS.self,
    FiraMethod.self,
    FuRePA.self,
    JekyllHyde.self,
    NPO.self,
    PRoMPTd.self,
    QKScore.self,
    RCI.self,
    RLReward.self,
    SEC.self,
    TacticPrograms.self,
    USCD.self,
    VML.self,
    WILT.self,
    ZeroShotCoT.self,
]
