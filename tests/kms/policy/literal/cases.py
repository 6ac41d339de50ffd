"""Cases by number: a request, and policies of every kind that apply to it.

A case is plain data, so that it can be printed, kept and reduced.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from .chance import Chance
from .context import HOME, OTHER, REGION, Case, caller_of, context_of, key_arn
from .request_maker import RequestMaker
from .vocabulary import (
    ALICE,
    APP,
    APP_SESSION,
    BOB,
    FEDERATED,
    FRED,
    GRANTABLE,
    JOB,
    KEY_ID,
    KEYS,
    MULTIVALUED,
    NOT_IN_KEY_POLICIES,
    OF_ALIASES,
    OF_SERVICES,
    ON_ALIASES,
    OPERATORS,
    OTHER_ROOT,
    PATTERNS,
    PREFIXES,
    RELATED,
    ROOT,
    SERVICE,
    VALUES,
)


def make_case(number: int) -> Case:
    """Return the case with a number, always the same: a request, then policies, which know what it is like."""
    chance = random.Random(number)
    case = RequestMaker(chance).request()
    PolicyMaker(chance, case).policies()
    return case


class PolicyMaker(Chance):
    """Makes policies for one request."""

    def __init__(self, chance: random.Random, case: dict[str, Any]) -> None:
        super().__init__(chance)
        caller = caller_of(case)
        self._case = case
        self._kind, self._about = caller.kind, case["action"].removeprefix("kms:")
        self._resource = key_arn(case)
        self._values = context_of(case, caller)
        self._entity = caller.kind in ("user", "session", "federated")

    def policies(self) -> None:
        """Put policies into the case."""
        self._case |= {
            "identity": [],
            "boundary": None,
            "session": [],
            "scp": [],
            "rcp": [],
            "vpce": None,
            "grants": [],
        }
        if self.maybe(0.5):
            self._one_that_matters()
        else:
            self._many()

    def _many(self) -> None:
        """Make policies of all kinds, each of them at random."""
        case = self._case
        if self._entity:
            case["identity"] = self._several("identity", 0.9)
            case["boundary"] = self._policy("boundary", 0.9) if self.maybe(0.3) else None
        if self._kind == "federated" or (self._kind == "session" and self.maybe(0.4)):
            case["session"] = self._several("session", 0.9)
        if self._kind != "service":
            case["scp"] = [self._level() for _ in range(self.one((0, 0, 1, 1, 2)))]
        if "source_vpce" in case["caller"] and self.maybe(0.5):
            case["vpce"] = self._policy("vpce", 0.9)
        if case["key"]:
            # Whether they concern aliases is not known.
            case["rcp"] = (
                [] if self._about in ON_ALIASES else [self._policy("rcp", 0) for _ in range(self.one((0, 0, 1)))]
            )
            case["key"]["policy"] = self._policy("key", 0.9)
            case["grants"] = [self._grant()] if self._entity and self.maybe(0.35) else []

    def _one_that_matters(self) -> None:
        """Let all policies allow everything but one, whose conditions decide."""
        case = self._case
        uses = ["key", "key", "key" if self._about in ON_ALIASES else "rcp"] if case["key"] else []
        uses += ["identity", "identity", "boundary"] if self._entity else []
        uses += ["session"] if self._kind in ("session", "federated") else []
        uses += ["scp"] if self._kind != "service" else []
        uses += ["grant", "grant"] if self._entity and self._about in GRANTABLE else []
        uses += ["vpce", "vpce"] if "source_vpce" in case["caller"] else []
        use = self.one(uses)
        if self._entity:
            case["identity"] = [self._everything("identity")]
        if self._kind == "federated":
            case["session"] = [self._everything("session")]
        if case["key"]:
            case["key"]["policy"] = self._everything("key")
        if use == "grant":
            case["key"]["policy"] = {"Version": "2012-10-17", "Statement": [self._allow_somebody_else()]}
            case["grants"] = [self._grant()]
            return
        policy = self._decisive(use)
        if use == "key":
            case["key"]["policy"] = policy
        elif use in ("boundary", "vpce"):
            case[use] = policy
        else:
            case[use] = [[policy]] if use == "scp" else [policy]

    def _decisive(self, use: str) -> dict[str, Any]:
        effect = "Deny" if use == "rcp" or self.maybe(0.5) else "Allow"
        version = "2012-10-17" if use in ("boundary", "rcp", "scp") or self.maybe(0.95) else "2008-10-17"
        statement = {"Effect": effect, "Action": "kms:*", "Resource": "*"}
        if use in ("key", "vpce", "rcp"):
            statement |= self._principal(use, effect) if self.maybe(0.3) else {"Principal": "*"}
        if "NotPrincipal" not in statement:
            statement["Condition"] = self._conditions(use, effect, version)
        allowing = [self._everything(use)["Statement"]] if effect == "Deny" and use != "rcp" else []
        return {"Version": version, "Statement": [*allowing, statement]}

    def _allow_somebody_else(self) -> dict[str, Any]:
        return {"Effect": "Allow", "Principal": {"AWS": FRED}, "Action": "kms:PutKeyPolicy", "Resource": "*"}

    def _everything(self, use: str) -> dict[str, Any]:
        statement: dict[str, Any] = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
        if use == "vpce":
            statement["Principal"] = "*"
        if use == "key":
            caller = caller_of(self._case)
            accounts = sorted({f"arn:aws:iam::{caller.account or HOME}:root", ROOT})
            statement["Principal"] = {"Service": SERVICE} if self._kind == "service" else {"AWS": accounts}
        return {"Version": "2012-10-17", "Statement": statement}

    def _level(self) -> list[Any]:
        own = [self._policy("scp", 0.8) for _ in range(self.one((1, 1, 2)))]
        everything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
        return [everything, *own] if self.maybe(0.7) else own

    def _several(self, use: str, allow: float) -> list[Any]:
        return [self._policy(use, allow) for _ in range(self.one((0, 1, 1, 1, 1, 2, 2)))]

    def _policy(self, use: str, allow: float) -> dict[str, Any]:
        version = "2012-10-17" if use in ("boundary", "rcp", "scp") or self.maybe(0.93) else "2008-10-17"
        count = self.one((1, 1, 2, 3))
        statements = [self._statement(use, "Allow" if self.maybe(allow) else "Deny", version) for _ in range(count)]
        return {"Version": version, "Statement": statements[0] if count == 1 and self.maybe(0.3) else statements}

    def _statement(self, use: str, effect: str, version: str) -> dict[str, Any]:
        statement: dict[str, Any] = {"Effect": effect}
        if use in ("key", "vpce", "rcp"):
            statement |= self._principal(use, effect)
        statement |= self._action(use)
        statement |= self._resources(use, version)
        if self.maybe(0.4 if effect == "Allow" else 0.9):
            statement["Condition"] = self._conditions(use, effect, version)
        return statement

    def _principal(self, use: str, effect: str) -> dict[str, Any]:
        if use == "rcp":
            return {"Principal": "*"}
        if use == "key" and effect == "Deny" and self._kind != "service" and self.maybe(0.3):
            roots = [ROOT], [HOME], [OTHER_ROOT]
            listed = self.one(([], [ALICE], [BOB], [APP], [APP, APP_SESSION]))
            chains = ([*listed, *root] for root in roots)
            return {"NotPrincipal": {"AWS": self.scalar(self.one(chains))}}
        if self.maybe(0.15):
            return {"Principal": "*"}
        if self._kind == "service" and self.maybe(0.7):
            return {"Principal": {"Service": self.scalar(self.some((SERVICE, "sqs.amazonaws.com"), 1))}}
        mine = caller_of(self._case)
        account = mine.account or HOME
        known = [entry for entry in (mine.arn, mine.source) if entry and mine.kind not in ("root", "service")]
        roots = [f"arn:aws:iam::{account}:root", account, ROOT]
        likely = self.one((known or roots, roots, roots, (ALICE, APP, FRED, BOB, JOB, FEDERATED)))
        everybody = ["*"] if self.maybe(0.1) and self._kind != "service" else []
        services = {"Service": SERVICE} if self.maybe(0.05) else {}
        return {
            "Principal": {
                **services,
                "AWS": self.scalar(everybody or [self.one(likely), *self.some((ALICE, BOB), 0)]),
            }
        }

    def _action(self, use: str) -> dict[str, Any]:
        name = self._about
        fitting = (
            f"kms:{name}",
            "kms:*",
            f"kms:{name[:4]}*",
            f"kms:{name[:-1]}?",
            f"kms:*{name[2:]}",
            f"KMS:{name.lower()}",
        )
        others = ("kms:Encrypt", "kms:Decrypt", "kms:List*", "kms:Disable*", "kms:?ecrypt")
        if use == "identity":
            others += ("s3:*",)
            fitting += ("*",)
        if self.maybe(0.02) and use == "key":
            return {}
        if self.maybe(0.1) and use != "rcp":
            return {"NotAction": self.scalar(self.some((*others, self.one(fitting)), 1))}
        chosen = [self.one(fitting if self.maybe(0.85) else others)]
        return {"Action": self.scalar(chosen + self.some(others, 0) if self.maybe(0.3) else chosen)}

    def _resources(self, use: str, version: str) -> dict[str, Any]:
        if use == "key":
            return {} if self.maybe(0.02) else {"Resource": "*"}
        of_home = f"arn:aws:kms:{REGION}:{self._case['key']['account'] if self._case['key'] else HOME}:key/"
        patterns = ["*", f"{of_home}{KEY_ID}", f"{of_home}*", f"{of_home}????????-*", "arn:aws:kms:*:*:key/*"]
        others = [f"{of_home}99999999*", f"arn:aws:kms:eu-west-1:{HOME}:key/*", f"arn:aws:kms:*:{'9' * 12}:key/*"]
        if use in ("identity", "boundary"):
            patterns += ["arn:aws:kms", f"arn:aws:kms:{REGION}"]
            others += [f"arn:aws:kms:*:{OTHER}"]
        if version == "2012-10-17" and self.maybe(0.1):
            others.append(of_home + "${aws:PrincipalTag/text}*")
        if self.maybe(0.08) and use != "scp":
            return {"NotResource": self.scalar(self.some(others, 1))}
        if self.maybe(0.6) or self._resource == "*":
            return {"Resource": "*"}
        if self._about in ON_ALIASES:
            account = f"arn:aws:kms:{REGION}:{self.one((HOME, HOME, OTHER))}"
            aliases = [f"{account}:alias/*", f"{account}:alias/app", "arn:aws:kms:*:*:alias/n*", "arn:aws:kms:*:*:*"]
            return {"Resource": [self.one(patterns), *self.some(aliases, 1)][self.one((0, 0, 0, 1)) :]}
        return {"Resource": self.scalar([self.one(patterns if self.maybe(0.8) else others), *self.some(others, 0)[:1]])}

    def _grant(self) -> dict[str, Any]:
        caller = caller_of(self._case)
        operations = set(self.some(("Encrypt", "Decrypt", "DescribeKey"), 1))
        if self._about in GRANTABLE and self.maybe(0.7):
            operations |= {self._about, *self._case["members"].get("Operations", ())}
        grantees = [caller.arn, caller.source if caller.kind == "session" else caller.arn, ALICE, APP]
        grant = {"GranteePrincipal": self.one(grantees), "Operations": sorted(operations)}
        members = self._case["members"]
        constraints = list(members.get("Constraints", {}).values())
        pairs = dict(members.get("EncryptionContext", constraints[0] if constraints else {}))
        if pairs and self.maybe(0.5):
            if self.maybe(0.4):
                pairs.popitem()
            if self.maybe(0.2):
                pairs["text"] = "blue"
            grant["Constraints"] = {
                self.one(("EncryptionContextSubset", "EncryptionContextEquals")): pairs or {"text": "red"}
            }
        return grant

    # --- conditions --------------------------------------------------------------------------------------------------

    def _conditions(self, use: str, effect: str, version: str) -> dict[str, Any]:
        block: dict[str, Any] = {}
        for _ in range(self.one((1, 1, 1, 2))):
            key, kind, patterns = self._condition_key(use)
            operator = self._operator(use, key, kind)
            values = [self._pattern(use, operator, key, patterns, version) for _ in range(self.one((1, 1, 2, 3)))]
            block.setdefault(operator, {})[self._spelled(key)] = self.scalar(values)
        return block

    def _condition_key(self, use: str) -> tuple[str, str, Sequence[Any]]:
        names = [*KEYS, *(f"{prefix}{kind}" for prefix in PREFIXES for kind in VALUES)]
        if self._kind == "service":
            names = list(OF_SERVICES)
        if use == "key":
            names = [name for name in names if not name.startswith(NOT_IN_KEY_POLICIES)]
        if self._about in ON_ALIASES:
            names = [name for name in names if name.startswith(OF_ALIASES)]
        present = [name for name in names if name.lower() in self._values]
        typed = [name for name in present if name.startswith(PREFIXES)]
        typed += [name for name in typed if name.endswith("text")] * 3
        likely = typed if typed and self.maybe(0.6) else present
        name = self.one(likely if likely and self.maybe(0.85) else names)
        if name in KEYS:
            return name, *KEYS[name]
        kind = name.replace(":", "/").split("/")[-1]
        return name, kind, PATTERNS[kind]

    def _operator(self, use: str, key: str, kind: str) -> str:
        if self.maybe(0.05):
            return "Null"
        name = self.one(OPERATORS[kind if self.maybe(0.9) else "text"])
        if self.maybe(0.25):
            name += "IfExists"
        sets = 0.75 if key in MULTIVALUED else 0.06
        if self.maybe(sets):
            # "OverlyPermissiveCondition": ForAllValues of these single-valued keys is refused in key policies.
            any_only = use == "key" and key.startswith(("kms:EncryptionContext:", "aws:RequestTag"))
            return f"{'ForAnyValue' if any_only else self.one(('ForAnyValue', 'ForAllValues'))}:{name}"
        return name

    def _pattern(self, use: str, operator: str, key: str, patterns: Sequence[Any], version: str) -> Any:
        if operator == "Null":
            return self.one(("true", "false", True, False, "yes"))
        if "String" in operator and self.maybe(0.2):
            return self._variable(use, key)
        if "Arn" in operator and version == "2012-10-17" and self.maybe(0.2):
            of_tag = self._values.get("aws:principaltag/arn", "arn:")
            return "${aws:PrincipalTag/arn}" if of_tag.startswith("arn:") else "arn:aws:iam::${aws:PrincipalAccount}:*"
        related = self._related(key)
        return self.one(related if related and self.maybe(0.6) else patterns)

    def _related(self, key: str) -> list[str]:
        families = RELATED.get(key.replace(":", "/").split("/")[-1], ())
        value = self._values.get(key.lower())
        return [pattern for values, patterns in families if value in values for pattern in patterns]

    def _variable(self, use: str, key: str) -> str:
        """Write a policy variable. Before Version 2012-10-17 it is an ordinary string."""
        prefixes = [prefix for prefix in PREFIXES if use != "key" or not prefix.startswith(NOT_IN_KEY_POLICIES)]
        if self._about in ON_ALIASES:
            prefixes = [prefix for prefix in prefixes if prefix.startswith(OF_ALIASES)]
        names = [
            f"{self.one(prefixes)}{self.one(('text', 'flag', 'number'))}",
            "aws:username",
            "aws:PrincipalAccount",
        ]
        lists = ["aws:TagKeys", "kms:EncryptionContextKeys", "kms:GrantOperations"]
        names += [name for name in lists if name.lower() in self._values] or ["aws:TagKeys"]
        present = [name for name in names if name.lower() in self._values]
        name = self.one(present if present and self.maybe(0.5) else names)
        value = str(self._values.get(key.lower(), "blue"))
        usable = value.isascii() and not set(value) & set("*?${}'\n")
        default = value if usable and self.maybe(0.6) else self.one(("blue", "red"))
        # Whether the default of an absent multivalued key is used is not known.
        known = name not in MULTIVALUED or name.lower() in self._values
        written = f"{name}, '{default}'" if known and self.maybe(0.6) else name
        return self.one(("", "", "", "", "", "b", "*")) + "${" + written + "}"

    def _spelled(self, key: str) -> str:
        """Write a condition key: they are case-insensitive."""
        vendor, _, name = key.partition(":")
        return f"{vendor.upper()}:{name}" if self.maybe(0.05) else key
