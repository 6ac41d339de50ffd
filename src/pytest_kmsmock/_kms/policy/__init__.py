"""The policy engine: principals, compiled policies, conditions, decisions.

It imports the standard library only, besides `Record`.
"""

from .decision import Decision, Step, evaluate, would_lock_out
from .default_policies import console_key_policy, default_key_policy
from .evaluation import ApplicableGrant, Denial, Policies, Request
from .kinds import MalformedPolicy, PolicyKind
from .policy import Policy, compile_policy
from .principals import Match, Principal, PrincipalKind

__all__ = [
    "ApplicableGrant",
    "Decision",
    "Denial",
    "MalformedPolicy",
    "Match",
    "Policies",
    "Policy",
    "PolicyKind",
    "Principal",
    "PrincipalKind",
    "Request",
    "Step",
    "compile_policy",
    "console_key_policy",
    "default_key_policy",
    "evaluate",
    "would_lock_out",
]
