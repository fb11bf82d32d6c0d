"""The file's section."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from deployments.router.balancing.config import BalancingConfig, Policy


@pytest.mark.parametrize(
    ("policy", "weights"), [("weighted", {}), ("round_robin", {"zone": 1.0}), ("weighted", {"zone": 0.0})]
)
def test_weights_go_with_the_weighted_policy_alone(policy: Policy, weights: dict[str, float]) -> None:
    """Weights that nothing reads would be believed to work; one of 0 would divide by it."""
    with pytest.raises(ValidationError, match="weights"):
        BalancingConfig(policy=policy, weights=weights)
