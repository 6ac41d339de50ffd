"""Importing key material into keys of Origin EXTERNAL, and deleting it.

See https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pytest_kmsmock._kms.api import errors
from pytest_kmsmock._kms.api.key_specs import KeySpec
from pytest_kmsmock._kms.call.operation import Call, Result, operation
from pytest_kmsmock._kms.crypto import InvalidMaterial, Material, load
from pytest_kmsmock._kms.entropy.key_source import LazyMaterial
from pytest_kmsmock._kms.formats import import_tokens
from pytest_kmsmock._kms.formats.key_wrapping import check_wrapping, load_wrapping_key, new_wrapping_key, unwrap
from pytest_kmsmock._kms.operations.targets import key
from pytest_kmsmock._kms.rules.imported_material import material_id, put_material, take_material
from pytest_kmsmock._kms.rules.key_states import DELETES_MATERIAL, IMPORTS, PREPARES_IMPORT
from pytest_kmsmock._kms.rules.rotation import PENDING, PENDING_EVERYWHERE, is_primary
from pytest_kmsmock._kms.state.records import Key, KeyMaterial

_LONGEST_LIFE = timedelta(days=365)
_NEW, _EXISTING = "NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"
#: Parameters that only keys with several materials have a use for.
_SYMMETRIC_ONLY = ("ImportType", "KeyMaterialDescription", "KeyMaterialId")


@operation("GetParametersForImport", targets=[key()], states=PREPARES_IMPORT, watches="on_demand")
def get_parameters_for_import(call: Call) -> Result:
    """Return the public key to wrap material with, and the token that goes with it.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_GetParametersForImport.html
    """
    _check_origin(call.key)
    algorithm, wrapping_spec = call.params["WrappingAlgorithm"], call.params["WrappingKeySpec"]
    check_wrapping(call.key.spec, algorithm, wrapping_spec, call.region.partition)
    wrapping_key = new_wrapping_key(wrapping_spec, call.service.keys)
    valid_to = call.now + import_tokens.VALID_FOR
    token = import_tokens.ImportToken(call.key.arn, algorithm, wrapping_spec, valid_to, wrapping_key.private_bytes())
    return {
        "KeyId": call.key.arn,
        "ImportToken": import_tokens.issue(token, call.random),
        "PublicKey": wrapping_key.public_key_der(),
        "ParametersValidTo": valid_to,
    }


@operation("ImportKeyMaterial", targets=[key()], states=IMPORTS, customer_managed=True, watches="on_demand")
def import_key_material(call: Call) -> Result:
    """Give a key the material that was wrapped for it.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_ImportKeyMaterial.html
    """
    found = call.key
    _check_origin(found)
    _check_parameters(call, found)
    expires = _expiry(call)
    token = import_tokens.read(call.params["ImportToken"], found.arn, call.now)
    wrapping_key = load_wrapping_key(token.wrapping_spec, token.wrapping_key)
    material = _load(found.spec, call.region.partition, unwrap(
        wrapping_key, token.algorithm, call.params["EncryptedKeyMaterial"]
    ))  # fmt: skip
    entry = _entry(call, found, material_id(found, material))
    put_material(
        call.state,
        found,
        KeyMaterial(
            entry.id, LazyMaterial.of(material), entry.state, entry.rotated, entry.rotation_type, expires,
            call.params.get("KeyMaterialDescription", entry.description),
        ),
    )  # fmt: skip
    return _result(found, entry)


@operation(
    "DeleteImportedKeyMaterial", targets=[key()], states=DELETES_MATERIAL, customer_managed=True, watches="on_demand"
)  # fmt: skip
def delete_imported_key_material(call: Call) -> Result:
    """Delete the imported material of a key, at once: the current one, or the one that is named.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteImportedKeyMaterial.html
    """
    found = call.key
    _check_origin(found)
    _check_symmetric_only(call, found)
    named = call.params.get("KeyMaterialId")
    entry = found.current if named is None else found.material(named)
    if entry is None:
        if named is not None:
            raise errors.MATERIAL_NOT_FOUND(material_id=named, arn=found.arn)
        return {"KeyId": found.arn}  # AWS: a key without material is no error
    take_material(call.state, found, entry)
    return _result(found, entry)


def _result(found: Key, entry: KeyMaterial) -> Result:
    """Return the answer: only symmetric keys have key material ids (captured from AWS KMS, 2026-09)."""
    result: Result = {"KeyId": found.arn}
    if found.spec.key_type == "symmetric":
        result["KeyMaterialId"] = entry.id
    return result


def _check_origin(found: Key) -> None:
    if found.origin != "EXTERNAL":
        raise errors.ORIGIN_NOT_VALID(arn=found.arn, origin=found.origin)


def _check_symmetric_only(call: Call, found: Key) -> None:
    if found.spec.key_type != "symmetric":
        for name in _SYMMETRIC_ONLY:
            if name in call.params:
                raise errors.IMPORT_PARAMETER_NOT_FOR_SPEC(member=name[0].lower() + name[1:], spec=found.spec.name)


def _check_parameters(call: Call, found: Key) -> None:
    _check_symmetric_only(call, found)
    if not is_primary(found) and "KeyMaterialDescription" in call.params:
        raise errors.DESCRIPTION_IN_REPLICA()
    if _import_type(call, found) == _NEW:
        if "KeyMaterialId" in call.params:
            raise errors.MATERIAL_ID_OF_NEW_MATERIAL()
        if not is_primary(found):
            raise errors.NEW_MATERIAL_IN_REPLICA()


def _import_type(call: Call, found: Key) -> str:
    """Return the ImportType of a request; the first import into a key is one of new material if it does not say.

    A replica begins with the generations of its primary, so an import into it is never the first.
    """
    default = _EXISTING if found.materials else _NEW
    return str(call.params.get("ImportType", default))


def _expiry(call: Call) -> datetime | None:
    """Return when the material is to expire, in whole seconds as AWS keeps it; None for never."""
    valid_to: datetime | None = call.params.get("ValidTo")
    if call.params.get("ExpirationModel", "KEY_MATERIAL_EXPIRES") == "KEY_MATERIAL_DOES_NOT_EXPIRE":
        if valid_to is not None:
            raise errors.VALID_TO_NOT_ALLOWED()
        return None
    if valid_to is None:
        raise errors.VALID_TO_MISSING()
    if valid_to <= call.now:
        raise errors.VALID_TO_PAST()
    if valid_to > call.now + _LONGEST_LIFE:
        raise errors.VALID_TO_TOO_FAR()
    return valid_to.replace(microsecond=0)


def _load(spec: KeySpec, partition: str, data: bytes) -> Material:
    """Return the material in bytes of the right length and form, else refuse the ciphertext that they came in."""
    lengths = spec.import_lengths
    if lengths and len(data) != lengths.get(partition, lengths[""]):
        raise errors.INVALID_CIPHERTEXT()
    try:
        return load(spec, data)
    except InvalidMaterial:
        raise errors.INVALID_CIPHERTEXT() from None


def _entry(call: Call, found: Key, identity: str) -> KeyMaterial:
    """Return the generation of material that an import fills: one that the key knows, or a new one.

    Raises:
        KmsError: `IncorrectKeyMaterialException` when the material is not the one asked for, or is new where it must
            be known, or known where it must be new; `KMSInvalidStateException` for a second one pending rotation.
    """
    known = found.material(identity)
    if _import_type(call, found) == _EXISTING:
        if found.current is None:
            raise errors.NO_KEY_MATERIAL_YET()
        if known is None or call.params.get("KeyMaterialId", identity) != identity:
            raise errors.INCORRECT_KEY_MATERIAL(expected=call.params.get("KeyMaterialId", found.current.id))
        return known
    if known is not None:
        raise errors.KEY_MATERIAL_NOT_NEW(material_id=identity, arn=found.arn)
    for material in found.materials:
        if material.state in PENDING:
            raise errors.MATERIAL_PENDING(arn=found.arn, material_id=identity, pending_id=material.id)
    return KeyMaterial(identity, None, PENDING_EVERYWHERE if found.materials else "CURRENT")
