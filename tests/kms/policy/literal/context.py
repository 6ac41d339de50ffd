"""The request context: which condition keys a request has, and their values.

[global] https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
[kms]    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
[fas]    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html
Left out, so that the generator must not use them: keys whose value only AWS knows, such as `aws:userid`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .statements import Caller

REGION = "us-east-1"
HOME, OTHER = "123456789012", "111122223333"

Case = Mapping[str, Any]
Values = dict[str, "str | list[str]"]

#: [kms] Permissions whose requests have an encryption context and an encryption algorithm.
WITH_ENCRYPTION_CONTEXT = ("kms:Encrypt", "kms:Decrypt", "kms:GenerateDataKey")
#: [global] aws:PrincipalType
_PRINCIPAL_TYPES = {"root": "Account", "user": "User", "federated": "FederatedUser", "session": "AssumedRole"}
#: [kms] Of the key, or of the key to be: defaults count.
_KEY = {
    "kms:keyspec": "SYMMETRIC_DEFAULT",
    "kms:keyusage": "ENCRYPT_DECRYPT",
    "kms:keyorigin": "AWS_KMS",
    "kms:multiregion": "false",
}


def caller_of(case: Case) -> Caller:
    """Read from a principal's ARN who calls. A role is a session of it; session ARNs leave out the role's path."""
    given = case["caller"]
    named = given["principal"]
    if not named.startswith("arn:"):
        return Caller(named, "", "service")
    account, (kind, *path) = named.split(":")[4], named.split(":", 5)[5].split("/")
    boundary = case.get("boundary") is not None
    if kind == "role":
        session = f"arn:aws:sts::{account}:assumed-role/{path[-1]}/{given['session_name']}"
        return Caller(session, account, "session", named, boundary)
    if kind == "federated-user":
        return Caller(named, account, "federated", given["issuer_arn"], boundary)
    return Caller(named, account, kind, None, boundary)


def key_arn(case: Case) -> str:
    """The ARN of the case's key; `*` for permissions that concern no key."""
    key = case["key"]
    return "*" if key is None else f"arn:aws:kms:{REGION}:{key['account']}:key/{key['id']}"


def context_of(case: Case, caller: Caller) -> Values:
    """Return the condition keys of a request, in lower case."""
    values: Values = {"aws:requestedregion": REGION, "aws:securetransport": "true"}
    values |= _of_caller(case["caller"], caller)
    values |= _of_network(case["caller"])
    if case["key"] is not None:
        values |= _of_key(case["key"])
        # [global] aws:ResourceOrgID: the organization of the account that owns the key.
        if "aws:principalorgid" in values and case["key"]["account"] == caller.account:
            values["aws:resourceorgid"] = values["aws:principalorgid"]
    values |= _of_request(case["action"], case["members"])
    values |= {name.lower(): value for name, value in case["caller"].get("context", {}).items()}
    return {name: value for name, value in values.items() if value != []}


def _of_caller(given: Mapping[str, Any], caller: Caller) -> Values:
    service = caller.kind == "service"
    values: Values = {"aws:principalisawsservice": str(service).lower()}
    if service:
        values["aws:principalservicename"] = caller.arn
        values["aws:sourcearn"], values["aws:sourceaccount"] = given["source_arn"], given["source_account"]
        return values
    # [global] aws:PrincipalArn of a role session is the ARN of the role, with its path.
    values["aws:principalarn"] = str(caller.source) if caller.kind == "session" else caller.arn
    values["aws:principalaccount"] = values["kms:calleraccount"] = caller.account
    # [global] aws:CurrentTime is in all requests; cases set it, for the clock of the package is the real one.
    values["aws:currenttime"] = given["context"]["aws:CurrentTime"]
    values["aws:principaltype"] = _PRINCIPAL_TYPES[caller.kind]
    values |= {f"aws:principaltag/{name}".lower(): value for name, value in given.get("tags", {}).items()}
    if caller.kind == "user":
        values["aws:username"] = caller.arn.split("/")[-1]
    if "org_id" in given:
        values["aws:principalorgid"] = given["org_id"]
    # [global] aws:MultiFactorAuthPresent is in requests with temporary credentials.
    if "mfa" in given or caller.kind in ("session", "federated"):
        values["aws:multifactorauthpresent"] = str(given.get("mfa", False)).lower()
    # [kms] kms:ViaService: the service and the Region. [global] aws:ViaAWSService is there in any case.
    values["aws:viaawsservice"] = str("via_service" in given).lower()
    if "via_service" in given:
        values["kms:viaservice"] = f"{given['via_service']}.{REGION}.amazonaws.com"
        # [global] aws:CalledVia lists the services that made requests on the caller's behalf. [observed] So with SQS.
        via = f"{given['via_service']}.amazonaws.com"
        values |= {"aws:calledvia": [via], "aws:calledviafirst": via, "aws:calledvialast": via}
    return values


def _of_network(given: Mapping[str, Any]) -> Values:
    """[global] A request through a VPC endpoint has aws:SourceVpce, and aws:VpcSourceIp in place of aws:SourceIp.

    [fas] Values of an endpoint "are not used in FAS requests"; others are made "with the same aws:SourceIP".
    """
    if "source_vpce" in given:
        if "via_service" in given:
            return {}
        vpc = {"aws:sourcevpc": given["source_vpc"]} if "source_vpc" in given else {}
        return {"aws:sourcevpce": given["source_vpce"], "aws:vpcsourceip": given["source_ip"], **vpc}
    return {"aws:sourceip": given["source_ip"]} if "source_ip" in given else {}


def _of_key(key: Mapping[str, Any]) -> Values:
    # [kms] kms:RequestAlias: only if the request names the key by an alias; the name of the alias, not its ARN.
    by_alias = {} if key["named"] is None else {"kms:requestalias": key["named"]}
    return {
        **by_alias,
        **{f"aws:resourcetag/{name}".lower(): value for name, value in key["tags"].items()},
        "aws:resourceaccount": key["account"],
        "kms:resourcealiases": list(key["aliases"]),
        **_KEY,
    }


def _of_request(action: str, members: Mapping[str, Any]) -> Values:
    values: Values = {}
    if action in WITH_ENCRYPTION_CONTEXT:
        values["kms:encryptionalgorithm"] = "SYMMETRIC_DEFAULT"
        values |= _of_encryption_context(members.get("EncryptionContext", {}))
    if action == "kms:CreateKey":
        values |= _KEY
    if action in ("kms:TagResource", "kms:CreateKey"):
        tags = {tag["TagKey"]: tag["TagValue"] for tag in members["Tags"]}
        values |= {f"aws:requesttag/{name}".lower(): value for name, value in tags.items()}
        values["aws:tagkeys"] = list(tags)
    if action == "kms:CreateGrant":
        values["kms:grantoperations"] = list(members["Operations"])
        values["kms:granteeprincipal"] = members["GranteePrincipal"]
        # [kms] The encryption context of CreateGrant is that of the constraint.
        for kind, pairs in members.get("Constraints", {}).items():
            values["kms:grantconstrainttype"] = kind
            values |= _of_encryption_context(pairs)
    # [kms] Both have a default when the request says nothing.
    if action == "kms:EnableKeyRotation":
        values["kms:rotationperiodindays"] = str(members.get("RotationPeriodInDays", 365))
    if action == "kms:ScheduleKeyDeletion":
        values["kms:schedulekeydeletionpendingwindowindays"] = str(members.get("PendingWindowInDays", 30))
    return values


def _of_encryption_context(pairs: Mapping[str, str]) -> Values:
    values: Values = {f"kms:encryptioncontext:{name}".lower(): value for name, value in pairs.items()}
    return values | {"kms:encryptioncontextkeys": list(pairs)}
