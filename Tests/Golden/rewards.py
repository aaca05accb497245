"""Golden values for TrainingTests: the losses of TRL on given log-probabilities.

    python Tests/Golden/rewards.py   writes rewards.json

GRPO, RLOO, DPO, IPO, KTO, ORPO and SimPO are TRL's own code, run on stand-ins for its trainers. TRL has no PPO any more; the formulas
that it had are written out here, with nothing expected behind a text's last token. Inputs are not stored: `numbers` makes the same
ones here and in the tests. f64 throughout, except for ORPO, which TRL computes in f32.
"""

import collections
import json
import pathlib
import types
from unittest import mock

import torch
import torch.nn.functional as F
from trl import DPOTrainer, GRPOTrainer, KTOTrainer, RLOOTrainer
from trl.experimental.cpo import CPOTrainer
from trl.experimental.orpo import ORPOTrainer

from training import flat, numbers

LENGTHS, LONGEST, GROUP = [3, 5, 2, 4], 5, 2
TOKENS = sum(LENGTHS)


def padded(values):
    """Numbers of all texts, one after the other, as [texts, longest] with zeros behind."""
    rows = torch.split(values, LENGTHS)
    return torch.stack([F.pad(row, (0, LONGEST - len(row))) for row in rows])


MASK = padded(torch.ones(TOKENS, dtype=torch.float64))
NOW = -0.1 - 3 * numbers((TOKENS,), 41).abs()
OLD = NOW + 0.4 * numbers((TOKENS,), 42)
REFERENCE = NOW + 0.8 * numbers((TOKENS,), 43)
REWARDS = torch.tensor([1.0, 0.25, 0.5, 2.0], dtype=torch.float64)


def result(leaf, loss):
    loss.backward()
    return {"loss": float(loss.detach()), "gradient": flat(leaf.grad)}


def stand_in(**settings):
    """A trainer that has these settings, and agrees to anything else."""
    trainer = mock.MagicMock(**settings)
    trainer.model.training = False
    trainer._metrics = collections.defaultdict(lambda: collections.defaultdict(list))
    trainer.accelerator.device = "cpu"
    trainer.accelerator.num_processes = 1
    for name in ("gather", "gather_for_metrics"):
        setattr(trainer.accelerator, name, lambda x: x)
    trainer.accelerator.reduce = lambda x, reduction: x
    trainer.aux_loss_enabled = False
    return trainer


def on_policy(kind, advantages, **settings):
    leaf = NOW.clone().requires_grad_()
    trainer = stand_in(
        epsilon_low=0.2, top_entropy_quantile=1.0, off_policy_mask_threshold=None, importance_sampling_level="token",
        use_vllm=False, _entropy_bonus_enabled=False, max_completion_length=LONGEST, **settings)
    trainer.args.delta = None
    trainer.args.use_bias_correction_kl = False
    trainer._get_per_token_logps_and_entropies = lambda *_, **__: (padded(leaf), torch.zeros_like(MASK), None)
    prompt = torch.zeros((len(LENGTHS), 1), dtype=torch.long)
    inputs = {
        "prompt_ids": prompt, "prompt_mask": prompt + 1, "completion_ids": MASK.long(), "completion_mask": MASK,
        "advantages": advantages, "old_per_token_logps": padded(OLD), "old_logps": padded(OLD).sum(1),
        "ref_per_token_logps": padded(REFERENCE), "num_items_in_batch": MASK.sum(),
    }
    return result(leaf, kind._compute_loss(trainer, None, inputs))


def advantages():
    """As they stand in the trainers' generation of samples."""
    grouped = REWARDS.view(-1, GROUP)
    centred = (grouped - grouped.mean(1, keepdim=True)).flatten()
    scaled = centred / (grouped.std(1).repeat_interleave(GROUP) + 1e-4)
    others = (grouped.sum(1, keepdim=True) - grouped) / (GROUP - 1)
    return {"centred": centred, "scaled": scaled, "one out": (grouped - others).flatten()}


def ppo():
    penalty, discount, smoothing, clip, value_clip, value_weight = 0.05, 0.99, 0.95, 0.2, 0.2, 0.1
    old_values = 0.5 * numbers((TOKENS,), 44)
    values = (old_values + 0.4 * numbers((TOKENS,), 45)).requires_grad_()
    leaf = NOW.clone().requires_grad_()

    ratio = padded(REFERENCE - OLD)
    rewards = -penalty * -ratio  # the estimator k1; k3 would be exp(ratio) - 1 - ratio
    for text, length in enumerate(LENGTHS):
        rewards[text, length - 1] += REWARDS[text]

    expected, last, reversed_ = padded(old_values), 0, []
    for t in reversed(range(LONGEST)):
        following = expected[:, t + 1] if t < LONGEST - 1 else 0.0
        delta = rewards[:, t] + discount * following - expected[:, t]
        last = delta + discount * smoothing * last
        reversed_.append(last)
    gains = torch.stack(reversed_[::-1], axis=1)
    returns = gains + expected

    inside = MASK.bool()
    mean, variance = gains[inside].mean(), gains[inside].var(unbiased=True)
    white = torch.where(inside, (gains - mean) * torch.rsqrt(variance + 1e-8), 0)

    now = padded(values)
    clipped = torch.clamp(now, expected - value_clip, expected + value_clip)
    value_loss = 0.5 * torch.max((now - returns) ** 2, (clipped - returns) ** 2)[inside].mean()
    change = torch.exp(padded(leaf) - padded(OLD))
    policy_loss = torch.max(-white * change, -white * torch.clamp(change, 1 - clip, 1 + clip))[inside].mean()
    found = result(leaf, policy_loss + value_weight * value_loss)
    return {
        **found, "valueGradient": flat(values.grad), "advantages": flat(white[inside]), "returns": flat(returns[inside]),
    }


def preferences():
    """On the log-ratios and means of training.py."""
    ratios, means, lengths = numbers((8,), 31) * 8, -0.05 - 3 * numbers((8,), 32).abs(), [3, 5, 4, 4, 9, 2, 7, 6]
    wanted = torch.tensor([1, 0, 0, 1, 1, 0, 1, 0])
    order = torch.tensor([0, 2, 4, 6, 1, 3, 5, 7])  # TRL has all chosen answers first

    def texts(leaf, lengths, order):
        """A batch whose texts have their log-ratio on the first token."""
        width = max(lengths) + 1
        mask = torch.stack([torch.arange(width) < length + 1 for length in torch.tensor(lengths)[order]]).long()
        mask[:, 0] = 0
        none = torch.zeros(len(mask), width - 1)
        outputs = types.SimpleNamespace(
            log_probs=F.pad(leaf[order][:, None], (0, width - 2)), entropy=none, mean_logits=none, is_top1=none.bool())
        ids = {"input_ids": torch.zeros_like(mask), "attention_mask": torch.ones_like(mask), "completion_mask": mask}
        return lambda **_: outputs, ids

    def dpo(kind):
        leaf = ratios.clone().requires_grad_()
        model, inputs = texts(leaf, lengths, order)
        inputs["ref_chosen_logps"] = inputs["ref_rejected_logps"] = torch.zeros(4)
        trainer = stand_in(
            ld_alpha=None, precompute_ref_logps=True, f_divergence_type="reverse_kl", loss_types=[kind],
            loss_weights=[1.0], beta=0.3, use_weighting=False)
        return result(leaf, DPOTrainer._compute_loss(trainer, model, inputs, False) * 4)

    def kto():
        leaf = ratios.clone().requires_grad_()
        model, inputs = texts(leaf, lengths, torch.arange(8))
        inputs |= {"label": wanted, "ref_logps": torch.zeros(8), "ref_KL_logps": torch.zeros(8)}
        trainer = stand_in(
            precompute_ref_logps=True, calculate_KL=True, loss_type="kto", beta=0.2, desirable_weight=1.5,
            undesirable_weight=0.5)
        trainer._compute_kl_logps = lambda *_: torch.full((8,), 0.6, dtype=torch.float64)
        return result(leaf, KTOTrainer._compute_loss(trainer, model, inputs, False) * 8)

    def orpo():
        leaf = means.clone().requires_grad_()
        losses = ORPOTrainer.odds_ratio_loss(stand_in(beta=0.4), leaf[0::2], leaf[1::2])[0]
        return result(leaf, (-leaf[0::2] - losses).sum())

    def simpo():
        leaf = means.clone().requires_grad_()
        trainer = stand_in(alpha=0.0, loss_type="simpo", beta=2.0, simpo_gamma=0.7, label_smoothing=0.0)
        return result(leaf, CPOTrainer.cpo_loss(trainer, leaf[0::2], leaf[1::2])[0].sum())

    return {"dpo": dpo("sigmoid"), "ipo": dpo("ipo"), "kto": kto(), "orpo": orpo(), "simpo": simpo()}


if __name__ == "__main__":
    gains = advantages()
    found = {
        "advantages": {name: flat(values) for name, values in gains.items()},
        "policies": {
            "grpo": on_policy(GRPOTrainer, gains["scaled"], loss_type="grpo", beta=0.04, epsilon_high=0.2),
            "bnpo": on_policy(GRPOTrainer, gains["scaled"], loss_type="bnpo", beta=0.1, epsilon_high=0.28),
            "dr_grpo": on_policy(GRPOTrainer, gains["centred"], loss_type="dr_grpo", beta=0.0, epsilon_high=0.2),
            "rloo": on_policy(RLOOTrainer, gains["one out"], epsilon_high=0.2),
        },
        "ppo": ppo(), "preferences": preferences(),
    }
    path = pathlib.Path(__file__).parent / "rewards.json"
    path.write_text(json.dumps(found, separators=(",", ":")) + "\n")
