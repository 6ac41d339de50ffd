"""Generated requests: caller, operation, parameters and key."""

from __future__ import annotations

from typing import Any

from .chance import Chance
from .context import HOME, OTHER, WITH_ENCRYPTION_CONTEXT
from .vocabulary import (
    ALICE,
    APP,
    BOB,
    BY_ALIAS,
    CALLERS,
    CONTEXTS,
    ENDPOINT,
    KEY_ID,
    ON_ALIASES,
    OPERATIONS,
    RARE_OPERATIONS,
    SERVICE,
    VALUES,
    WITHOUT_KEY,
)


class RequestMaker(Chance):
    """Makes one request."""

    def request(self) -> dict[str, Any]:
        """Make the parts of a case that are the request: caller, action, members and key."""
        name = self.one(OPERATIONS if self.maybe(0.75) else RARE_OPERATIONS)
        caller = dict(self.one(CALLERS))
        if caller["principal"] == SERVICE and name in (*WITHOUT_KEY, *ON_ALIASES):
            name = "Encrypt"
        key = None if name in WITHOUT_KEY else self._key(name)
        if name == "DeleteAlias" and not (key["aliases"] and key["account"] in caller["principal"]):
            name = "CreateAlias"  # an alias is of its key's account
        members = {"AliasName": key["aliases"][0]} if name == "DeleteAlias" else self._members(name)
        return {"caller": self._caller(caller), "action": f"kms:{name}", "members": members, "key": key}

    def _caller(self, caller: dict[str, Any]) -> dict[str, Any]:
        if caller["principal"] == SERVICE:
            return caller
        if not caller["principal"].endswith(":root"):
            caller["tags"] = self._tags()
        if self.maybe(0.3):
            caller["org_id"] = "o-a1b2c3d4e5"
        if self.maybe(0.2):
            caller["mfa"] = self.maybe(0.5)
        if self.maybe(0.25):
            caller["via_service"] = "s3"
        if self.maybe(0.25):
            caller["source_vpce"] = ENDPOINT
            if self.maybe(0.3):
                caller["source_vpc"] = "vpc-1234abcd5678ef90a"
        now = {"aws:CurrentTime": self.one(("2030-01-01T00:00:00Z", "2031-07-09T12:00:00Z"))}
        caller["context"] = now | self.some_of(CONTEXTS, 0.2)
        caller["source_ip"] = self.one(("192.0.2.1", "198.51.100.7", "2001:db8::1", "::ffff:192.0.2.1"))
        return caller

    def _tags(self) -> dict[str, str]:
        return self._typed_values() if self.maybe(0.7) else {}

    def _typed_values(self) -> dict[str, str]:
        return self.some_of(VALUES, 0.6)

    def _members(self, name: str) -> dict[str, Any]:
        pairs = self._typed_values() if self.maybe(0.7) else {}
        if f"kms:{name}" in WITH_ENCRYPTION_CONTEXT and pairs:
            return {"EncryptionContext": pairs}
        if name in ("TagResource", "CreateKey"):
            return {"Tags": [{"TagKey": key, "TagValue": value} for key, value in pairs.items()]}
        if name == "CreateGrant":
            constraint = self.one(("EncryptionContextSubset", "EncryptionContextEquals"))
            return {
                "GranteePrincipal": self.one((ALICE, APP, BOB)),
                "Operations": sorted(self.some(("Encrypt", "Decrypt", "DescribeKey"), 1)),
                **({"Constraints": {constraint: pairs}} if pairs else {}),
            }
        if name == "CreateAlias":
            return {"AliasName": "alias/new"}
        if name == "EnableKeyRotation" and self.maybe(0.7):
            return {"RotationPeriodInDays": self.one((90, 180, 365, 2560))}
        if name == "ScheduleKeyDeletion" and self.maybe(0.7):
            return {"PendingWindowInDays": self.one((7, 10, 30))}
        return {}

    def _key(self, name: str) -> dict[str, Any]:
        aliases = self.some(("alias/app", "alias/other", "alias/app/2"), 0)
        by_alias = aliases and name in BY_ALIAS and self.maybe(0.4)
        return {
            "account": HOME if self.maybe(0.85) else OTHER,
            "id": KEY_ID,
            "named": self.one(aliases) if by_alias else None,
            # KMS takes letters, digits, blanks and _.:/=+-@ in tags.
            "tags": {kind: value for kind, value in self._tags().items() if not set(value) & set("*?$\n")},
            "aliases": aliases,
        }
