"""Amazon EC2: EBS volumes under a KMS key.

A volume is created and attached at once; a refusal of KMS shows later: the volume is gone, the instance is terminated
or stopped. Sources: KMS Developer Guide, "How Amazon EBS uses AWS KMS"
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/how-ebs-encryption-works.html); AWS re:Post, "Why does my instance
change from Pending to Stopped?" (https://repost.aws/knowledge-center/kms-iam-ec2-permission). That all of it happens at
once here, and the principal that stands for the instance in grants, are inferred.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pytest_kmsmock._kms.api.arns import partition_of
from pytest_kmsmock._kms.state.caller import Caller, role_session
from pytest_kmsmock._services.error_mapping import ErrorMapping, ErrorTemplate
from pytest_kmsmock._services.protected import DataKey, Protected
from pytest_kmsmock._services.request import Request
from pytest_kmsmock._services.table import CREATE_GRANT, DECRYPT, Kms, Rule, Service, Step, unchanged

_MANAGED_KEY = "alias/aws/ebs"
_MAKE_KEY = Kms("GenerateDataKeyWithoutPlaintext", {"NumberOfBytes": 64})


def _volume(request: Request, volume: Mapping[str, Any]) -> Iterable[Protected]:
    if not volume.get("Encrypted"):
        return ()
    name = volume["VolumeId"]
    known = request.kept((name,))
    key = known.arn if known is not None else volume.get("KmsKeyId") or _MANAGED_KEY
    return (Protected(key, {"aws:ebs:id": name}, request.region, (name,), request.account),)


def _keep(request: Request, protected: Protected, data_key: DataKey) -> None:
    request.keep(protected.name, data_key)


def _role(request: Request) -> str:
    return f"arn:{partition_of(request.region)}:iam::{request.account}:role/aws:ec2-infrastructure"


def _instance(request: Request, protected: Protected) -> Caller:
    """Return the principal of an instance, which decrypts by the grant of the caller."""
    return role_session(_role(request), str(protected.params["instance"])).forwarded_by(request.via)


def _attachments(request: Request, **wanted: object) -> Iterator[Protected]:
    """Yield attached volumes, each with the parameters of the grant for its instance."""
    for volume in request.api("DescribeVolumes", **wanted).get("Volumes", ()):
        for protected in _volume(request, volume):
            instance = request.notes["instance"] = volume["Attachments"][0]["InstanceId"]
            yield protected._replace(
                params={
                    "GranteePrincipal": role_session(_role(request), instance).arn,
                    "Operations": ["Decrypt"],
                    "Constraints": {"EncryptionContextSubset": dict(protected.context)},
                    "instance": instance,  # no parameter of KMS
                }
            )


def _of(instances: list[str]) -> list[dict[str, object]]:
    return [{"Name": "attachment.instance-id", "Values": instances}]


def _made(request: Request) -> Iterable[Protected]:
    """Find the volume that has been created."""
    return _volume(request, request.answer)


def _attached(request: Request) -> Iterator[Protected]:
    """Find the volume that has been attached."""
    return _attachments(request, VolumeIds=[request.params["VolumeId"]])


def _launched(request: Request) -> Iterable[Protected]:
    """Find the encrypted volumes of launched instances, if the request has any."""
    disks = [mapping.get("Ebs", {}) for mapping in request.params.get("BlockDeviceMappings", ())]
    if not any(disk.get("Encrypted") or disk.get("KmsKeyId") for disk in disks):
        return ()
    return _attachments(request, Filters=_of(_instances(request)))


def _started(request: Request) -> Iterator[Protected]:
    """Find the encrypted volumes of instances that have been started."""
    return _attachments(request, Filters=_of(request.params["InstanceIds"]))


def _name_keys(request: Request) -> None:
    """Set the ARN of the key of each volume, where moto returns what the volume was created with."""
    for volume in request.answer.get("Volumes", (request.answer,)):
        known = request.kept((volume["VolumeId"],))
        if known is not None:
            volume["KmsKeyId"] = known.arn


def _instances(request: Request) -> list[str]:
    return [instance["InstanceId"] for instance in request.answer["Instances"]]


def _delete_volume(request: Request) -> None:
    request.api("DeleteVolume", VolumeId=request.answer["VolumeId"])


def _detach_volume(request: Request) -> None:
    request.api("DetachVolume", VolumeId=request.params["VolumeId"], InstanceId=request.params["InstanceId"])


def _terminate(request: Request) -> None:
    request.api("TerminateInstances", InstanceIds=_instances(request))


def _stop(request: Request) -> None:
    request.api("StopInstances", InstanceIds=[request.notes["instance"]])


def _starts(find: Any, kms: tuple[Kms, ...], rollback: Any) -> tuple[Step, ...]:
    """Return the steps of attaching volumes: the caller creates a grant, and the instance decrypts."""
    return (
        Step(find, kms, then=_keep, on_error=unchanged, rollback=rollback),
        Step(find, (DECRYPT,), who=_instance, on_error=unchanged, rollback=rollback),
    )


SERVICE = Service(
    "ec2",
    {
        "CreateVolume": Rule(
            after=(Step(_made, (_MAKE_KEY,), then=_keep, on_error=unchanged, rollback=_delete_volume),),
            answered=_name_keys,
        ),
        "DescribeVolumes": Rule(answered=_name_keys),
        "AttachVolume": Rule(after=_starts(_attached, (CREATE_GRANT,), _detach_volume)),
        "RunInstances": Rule(after=_starts(_launched, (_MAKE_KEY, CREATE_GRANT), _terminate)),
        "StartInstances": Rule(after=_starts(_started, (CREATE_GRANT,), _stop)),
    },
    ErrorMapping({}, otherwise=ErrorTemplate("Client.InternalError")),  # no caller gets it
)
