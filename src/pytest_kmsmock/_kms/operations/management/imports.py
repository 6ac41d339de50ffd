"""Importing key material into keys with Origin EXTERNAL, and deleting it.

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
from pytest_kmsmock._kms.rules.imported_material import delete_material, material_id, store_material
from pytest_kmsmock._kms.rules.key_states import (
    NOT_CREATING,
    NOT_CREATING_OR_UPDATING,
    NOT_PENDING_DELETION,
    check_state,
)
from pytest_kmsmock._kms.rules.rotation import PENDING, PENDING_MULTI_REGION, is_primary
from pytest_kmsmock._kms.state.records import Key, KeyMaterial

_MAX_VALIDITY = timedelta(days=365)
_NEW, _EXISTING = "NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"
#: Parameters for keys with several key materials only.
_SYMMETRIC_ONLY = ("ImportType", "KeyMaterialDescription", "KeyMaterialId")


@operation("GetParametersForImport", targets=[key()], states=NOT_CREATING_OR_UPDATING, keeps_transition="on_demand")
def get_parameters_for_import(call: Call) -> Result:
    """Return a wrapping public key and its import token.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_GetParametersForImport.html
    """
    _check_origin(call.key)
    check_state(call.key, NOT_PENDING_DELETION, call.state)
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


@operation(
    "ImportKeyMaterial", targets=[key()], states=NOT_CREATING, customer_managed=True, keeps_transition="on_demand"
)  # fmt: skip
def import_key_material(call: Call) -> Result:
    """Import wrapped key material into a key.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_ImportKeyMaterial.html
    """
    kms_key = call.key
    _check_origin(kms_key)
    check_state(kms_key, NOT_PENDING_DELETION, call.state)
    _check_parameters(call, kms_key)
    expires = _expiry(call)
    token = import_tokens.read(call.params["ImportToken"], kms_key.arn, call.now)
    wrapping_key = load_wrapping_key(token.wrapping_spec, token.wrapping_key)
    material = _load(kms_key.spec, call.region.partition, unwrap(
        wrapping_key, token.algorithm, call.params["EncryptedKeyMaterial"]
    ))  # fmt: skip
    generation = _generation(call, kms_key, material_id(kms_key, material))
    store_material(
        call.state,
        kms_key,
        KeyMaterial(
            generation.id, LazyMaterial.of(material), generation.state, generation.rotated, generation.rotation_type,
            expires, call.params.get("KeyMaterialDescription", generation.description),
        ),
    )  # fmt: skip
    return _result(kms_key, generation)


@operation(
    "DeleteImportedKeyMaterial", targets=[key()], states=NOT_CREATING_OR_UPDATING, customer_managed=True,
    keeps_transition="on_demand",
)  # fmt: skip
def delete_imported_key_material(call: Call) -> Result:
    """Delete imported key material of a key: the current one, or that of the request.

    See https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteImportedKeyMaterial.html
    """
    kms_key = call.key
    _check_origin(kms_key)
    _check_symmetric_only(call, kms_key)
    named = call.params.get("KeyMaterialId")
    generation = kms_key.current if named is None else kms_key.material(named)
    if generation is None:
        if named is not None:
            raise errors.MATERIAL_NOT_FOUND(material_id=named, arn=kms_key.arn)
        return {"KeyId": kms_key.arn}  # AWS: not an error for a key without material
    delete_material(call.state, kms_key, generation)
    return _result(kms_key, generation)


def _result(kms_key: Key, generation: KeyMaterial) -> Result:
    """Return the response: only symmetric keys have key material ids (captured from AWS KMS, 2026-09)."""
    result: Result = {"KeyId": kms_key.arn}
    if kms_key.spec.key_type == "symmetric":
        result["KeyMaterialId"] = generation.id
    return result


def _check_origin(kms_key: Key) -> None:
    if kms_key.origin != "EXTERNAL":
        raise errors.ORIGIN_NOT_VALID(arn=kms_key.arn, origin=kms_key.origin)


def _check_symmetric_only(call: Call, kms_key: Key) -> None:
    if kms_key.spec.key_type != "symmetric":
        for name in _SYMMETRIC_ONLY:
            if name in call.params:
                raise errors.IMPORT_PARAMETER_NOT_FOR_SPEC(parameter=name[0].lower() + name[1:], spec=kms_key.spec.name)


def _check_parameters(call: Call, kms_key: Key) -> None:
    _check_symmetric_only(call, kms_key)
    if not is_primary(kms_key) and "KeyMaterialDescription" in call.params:
        raise errors.DESCRIPTION_IN_REPLICA()
    if _import_type(call, kms_key) == _NEW:
        if "KeyMaterialId" in call.params:
            raise errors.MATERIAL_ID_OF_NEW_MATERIAL()
        if not is_primary(kms_key):
            raise errors.NEW_MATERIAL_IN_REPLICA()


def _import_type(call: Call, kms_key: Key) -> str:
    """Return the ImportType of a request; the default is NEW_KEY_MATERIAL for the first import into a key.

    A replica key starts with the key materials of its primary key, so its imports are never the first.
    """
    default = _EXISTING if kms_key.materials else _NEW
    return str(call.params.get("ImportType", default))


def _expiry(call: Call) -> datetime | None:
    """Return the expiration date of the key material, in whole seconds as AWS stores it; None for no expiration."""
    valid_to: datetime | None = call.params.get("ValidTo")
    if call.params.get("ExpirationModel", "KEY_MATERIAL_EXPIRES") == "KEY_MATERIAL_DOES_NOT_EXPIRE":
        if valid_to is not None:
            raise errors.VALID_TO_NOT_ALLOWED()
        return None
    if valid_to is None:
        raise errors.VALID_TO_MISSING()
    if valid_to <= call.now:
        raise errors.VALID_TO_PAST()
    if valid_to > call.now + _MAX_VALIDITY:
        raise errors.VALID_TO_TOO_FAR()
    return valid_to.replace(microsecond=0)


def _load(spec: KeySpec, partition: str, data: bytes) -> Material:
    """Load key material; a wrong length or form is an invalid ciphertext."""
    lengths = spec.import_lengths
    if lengths and len(data) != lengths.get(partition, lengths[""]):
        raise errors.INVALID_CIPHERTEXT()
    try:
        return load(spec, data)
    except InvalidMaterial:
        raise errors.INVALID_CIPHERTEXT() from None


def _generation(call: Call, kms_key: Key, identity: str) -> KeyMaterial:
    """Return the record of the key material to import: an existing one of the key, or a new one.

    Raises:
        KmsError: `IncorrectKeyMaterialException` if the key material does not have the requested id, or does not fit
            the ImportType; `KMSInvalidStateException` if other key material is pending rotation already.
    """
    known = kms_key.material(identity)
    if _import_type(call, kms_key) == _EXISTING:
        if kms_key.current is None:
            raise errors.NO_KEY_MATERIAL_YET()
        if known is None or call.params.get("KeyMaterialId", identity) != identity:
            raise errors.INCORRECT_KEY_MATERIAL(expected=call.params.get("KeyMaterialId", kms_key.current.id))
        return known
    if known is not None:
        raise errors.KEY_MATERIAL_NOT_NEW(material_id=identity, arn=kms_key.arn)
    for material in kms_key.materials:
        if material.state in PENDING:
            raise errors.MATERIAL_PENDING(arn=kms_key.arn, material_id=identity, pending_id=material.id)
    return KeyMaterial(identity, None, PENDING_MULTI_REGION if kms_key.materials else "CURRENT")
