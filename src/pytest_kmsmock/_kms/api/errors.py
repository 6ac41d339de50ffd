"""The errors that the fake KMS answers, with their HTTP statuses and texts; `key_store_errors` has the rest.

Errors of AWS only: what a test author does wrong with the plugin itself is in `pytest_kmsmock.errors`.
A text is a `Text`: call it with the values of its placeholders and raise what it gives. Texts marked (B) are not
confirmed by a recording of AWS; `docs/fidelity.md` lists them.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Errors that AWS reports as its own fault; every other code is a client error with status 400.
#: Source: the `fault` trait of the KMS service model.
SERVER_FAULTS = frozenset(
    {"DependencyTimeoutException", "InternalFailure", "KMSInternalException", "KeyUnavailableException",
     "ServiceUnavailableException"}
)  # fmt: skip


class KmsError(Exception):
    """An error as AWS KMS answers it.

    Args:
        code: the exception's name on the wire, such as `NotFoundException`.
        message: the text; AWS sends some errors with an empty one.
        status: the HTTP status, by default the one that AWS uses for the code.
    """

    kind = "answer"

    def __init__(self, code: str, message: str = "", *, status: int | None = None) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = status or (500 if code in SERVER_FAULTS else 400)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class InjectedError(KmsError):
    """An error that the test asked for by a fault, not one that the fake KMS came to.

    Args:
        code: as for `KmsError`; for an answer without a body the HTTP status, for a failed connection the name of
            botocore's exception.
        message: the text.
        status: the HTTP status.
        kind: `answer` for an error in KMS's form, `http` for an HTTP status without one, `connection` when no answer
            comes at all.
    """

    def __init__(self, code: str, message: str = "", *, status: int | None = None, kind: str = "answer") -> None:
        super().__init__(code, message, status=status)
        self.kind = kind
        self.lost: dict[str, object] | None = None  # the answer that the caller did not get to see


@dataclass(frozen=True, slots=True)
class Text:
    """An error code with the template of its message."""

    code: str
    template: str = ""

    def __call__(self, **values: object) -> KmsError:
        """Return the error with the placeholders of the template filled in."""
        return KmsError(self.code, self.template.format(**values) if values else self.template)


# --- protocol --------------------------------------------------------------------------------------------------
UNKNOWN_OPERATION = Text("UnknownOperationException")
INTERNAL = Text(
    "KMSInternalException",
    "The request was rejected because an internal exception occurred. The request can be retried.",
)  # (B)
SERIALIZATION = Text("SerializationException", "{reason}")
MISSING_TOKEN = Text("MissingAuthenticationTokenException", "Missing Authentication Token")
INCOMPLETE_SIGNATURE = Text("IncompleteSignatureException", "{reason}")
BAD_REQUEST_SIGNATURE = Text("InvalidSignatureException", "{reason}")
SIGNATURE_DOES_NOT_MATCH = Text(
    "InvalidSignatureException",
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details.",
)
UNRECOGNIZED_CLIENT = Text("UnrecognizedClientException", "The security token included in the request is invalid.")
NOT_BUILT = Text(
    "UnknownOperationException",
    "pytest-kmsmock does not know the KMS operation {operation}: the installed botocore is newer than this release. "
    "Update pytest-kmsmock, or patch the call in your test.",
)
VALUE_NOT_BUILT = Text(
    "ValidationException",
    "pytest-kmsmock does not know the value {value}: the installed botocore is newer than this release. "
    "Update pytest-kmsmock, or patch the call in your test.",
)

VALUE_HIDDEN = Text(
    "ValidationException",
    "The installed botocore {installed} does not know the value {value}: it is older than this feature of KMS. "
    "Update botocore{since}.",
)

# --- validation ------------------------------------------------------------------------------------------------
INVALID = Text("ValidationException", "{reason}")
SPEC_GIVEN_TWICE = Text(
    "ValidationException",
    "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.",
)
USAGE_MISSING = Text(
    "ValidationException",
    "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
)
USAGE_NOT_FOR_SPEC = Text("ValidationException", "KeyUsage {usage} is not compatible with KeySpec {spec}")
SPEC_NOT_FOR_ORIGIN = Text("ValidationException", "KeySpec {spec} is not supported for Origin {origin}")
SPEC_NOT_IN_REGION = Text("UnsupportedOperationException", "KeySpec {spec} is not supported in this Region")
NUMBER_OF_BYTES = Text("ValidationException", "NumberOfBytes is required.")
DATA_KEY_SIZE = Text("ValidationException", "Please specify either number of bytes or key spec.")
DIGEST_LENGTH = Text("ValidationException", "Digest is invalid length for algorithm {algorithm}.")
ALIAS_PREFIX = Text(
    "ValidationException",
    'Alias must start with the prefix "alias/". Please see '
    "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
)
ALIAS_CHARACTERS = Text("ValidationException", "{alias} contains invalid characters for an alias")
ALIAS_OF_ALIAS = Text("ValidationException", "Aliases must refer to keys. Not aliases")  # (B)
ALIAS_CHANGES_USAGE = Text(
    "ValidationException",
    "Alias {alias} cannot be changed from a CMK with {what} {old} to a CMK with {what} {new}. "
    "The {what} of the current CMK and the new CMK must be the same.",
)  # (B)
MISSING = Text(
    "ValidationException",
    "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null",
)
PLAINTEXT_TOO_LONG = Text(
    "ValidationException",
    "Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {most} bytes.",
)
RAM_POLICY = Text("ValidationException", "The AWS_RAM policy can only be managed by the RAM service")
CONTEXT_ON_ASYMMETRIC = Text(
    "ValidationException", "EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs."
)
NULL = Text("ValidationException", "{member} must not be null")
DRY_RUN_MODIFIERS = Text("ValidationException", "DryRunModifiers can only be specified when DryRun is true")  # (B)
MESSAGE_TYPE_NOT_FOR_ALGORITHM = Text(
    "ValidationException", "Message type {message_type} is incompatible with algorithm {algorithm}."
)
MESSAGE_TYPE_NOT_FOR_SPEC = Text(
    "ValidationException", "Message type {message_type} is incompatible with key spec {spec}."
)
EXTERNAL_MU_LENGTH = Text("ValidationException", "External Mu is invalid length for algorithm {algorithm}.")
PEER_KEY = Text("ValidationException")  # AWS sends no message here
ONE_GRANTEE = Text(
    "ValidationException", "You must specify either GranteePrincipal or GranteeServicePrincipal, but not both."
)  # (B): the API reference's words
ONE_RETIREE = Text(
    "ValidationException", "You can specify either RetiringPrincipal or RetiringServicePrincipal, but not both."
)  # (B): the API reference's words
ONE_RETIREE_TO_LIST = Text(
    "ValidationException", "You must specify either RetiringPrincipal or RetiringServicePrincipal, but not both."
)  # (B): the API reference's words
GRANTEE_SERVICE = Text(
    "ValidationException",
    "When you specify a GranteeServicePrincipal, you must also specify a SourceArn grant constraint and either a "
    "RetiringPrincipal or a RetiringServicePrincipal.",
)  # (B): the API reference's words
SERVICE_FILTER = Text(
    "ValidationException", "This filter is only usable by callers in a service principal."
)  # (B): the API reference's words
OPERATIONS_NOT_GRANTABLE = Text(
    "ValidationException",
    "Operations [{operations}] are not supported when creating a grant for {key} KMS key with key usage {usage}. "
    "Valid operations are [{valid}]",
)
ONLY_CREATE_GRANT = Text("ValidationException", "Grants must not contain only the CreateGrant operation.")
ONE_CONTEXT_CONSTRAINT = Text("ValidationException", "More than one constraint supplied")
CONTEXT_CONSTRAINT_NOT_FOR_KEY = Text(
    "ValidationException",
    "EncryptionContext is supported only when creating a grant for a symmetric encryption KMS key.",
)
HOW_TO_RETIRE = Text(
    "ValidationException", "You must specify either a grant token, or both a key ARN and a grant ID."
)  # (B)

# --- finding things --------------------------------------------------------------------------------------------
KEY_NOT_FOUND = Text("NotFoundException", "Key '{arn}' does not exist")
INVALID_KEY_ID = Text("NotFoundException", "Invalid keyId '{key_id}'")
INVALID_KEY_ID_IN_ARN = Text("NotFoundException", "Invalid keyId {key_id}")  # AWS leaves the quotes out here
#: Recorded of many operations since 2015 (boto/boto#3202, hashicorp/terraform#20813), whether or not the alias exists.
ALIASES_NOT_SUPPORTED = Text("InvalidArnException", "Key Aliases are not supported for this operation.")
INVALID_ARN = Text("InvalidArnException", "Invalid arn {arn}")
ARN_NOT_FOUND = Text("NotFoundException", "Invalid arn {arn}")  # observed of RetireGrant in 2026; else (B)
ARN_OF_OTHER_REGION = Text("NotFoundException", "Invalid arn {region}")
ALIAS_NOT_FOUND = Text("NotFoundException", "Alias {arn} is not found.")
ALIAS_EXISTS = Text("AlreadyExistsException", "An alias with the name {arn} already exists")
NOT_AUTHORIZED = Text("NotAuthorizedException")  # (B): that AWS sends no message
POLICY_NOT_FOUND = Text("NotFoundException", "No such policy exists")  # (B)
INVALID_GRANT_TOKEN = Text("InvalidGrantTokenException")  # the text is unknown (B)
NO_PRINCIPAL = Text("InvalidArnException", "ARN does not refer to a valid principal: {arn}")
NO_PRINCIPAL_ARN = Text("InvalidArnException", "ARN is not valid: {arn}")
NO_PRINCIPAL_ID = Text("InvalidArnException", "{member} does not refer to a valid principal.")
NO_PRINCIPAL_TO_FILTER = Text("InvalidArnException", "Input does not refer to a valid principal")
RETIREE_NOT_FOUND = Text("NotFoundException", "Retiring principal {principal} could not be found")
GRANT_NOT_FOUND = Text("NotFoundException", "Grant ID {grant_id} not found")  # (B)
INVALID_MARKER = Text("InvalidMarkerException")  # AWS sends no message here
TAG = Text("TagException", "{reason}")

# --- quotas ----------------------------------------------------------------------------------------------------
#: Recorded: scylladb/scylla-cluster-tests#7611 (2024).
ALIAS_QUOTA = Text(
    "LimitExceededException",
    "Aliases per key quota for this account in this region is {quota}, current usage is {used}.",
)
#: Recorded: convox/rack#347 (2016).
KEY_QUOTA = Text(
    "LimitExceededException", "Key quota for this account in this region is {quota} but the current usage is {used}."
)
GRANT_QUOTA = Text(
    "LimitExceededException",
    "Grants per key quota for this account in this region is {quota}, current usage is {used}.",
)  # (B): worded like that of aliases
TAG_QUOTA = Text("LimitExceededException", "Too many tags")  # (B): the message of too many in one request
POLICY_SIZE = Text("LimitExceededException", "The key policy document is longer than {most} bytes.")  # (B)

# --- authorization ---------------------------------------------------------------------------------------------
ACCESS_DENIED = Text("AccessDeniedException", "{reason}")
KEY_OUT_OF_SIGHT = Text(
    "AccessDeniedException",
    "User: {caller} is not authorized to perform: {action} on this resource because the resource does not exist in "
    "this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
)
CIPHERTEXT_OUT_OF_SIGHT = Text(  # until about 2024: "The ciphertext refers to a customer master key that does not …"
    "AccessDeniedException",
    "User: {caller} is not authorized to perform: {action} on the resource associated with this ciphertext because the "
    "resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy "
    "explicitly denies access",
)
MANAGED_KEY = Text(
    "AccessDeniedException",
    "User: {caller} is not authorized to perform: {action} on resource: {arn} because no resource-based policy "
    "allows the {action} action",
)
MALFORMED_POLICY = Text("MalformedPolicyDocumentException", "{reason}")
POLICY_LOCKS_OUT = Text(
    "MalformedPolicyDocumentException",
    "The new key policy will not allow you to update the key policy in the future.",
)
INVALID_PRINCIPAL = Text(
    "MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals."
)

# --- key states (Developer Guide, "Key states of AWS KMS keys") --------------------------------------------------
DISABLED = Text("DisabledException", "{arn} is disabled.")
PENDING_DELETION = Text("KMSInvalidStateException", "{arn} is pending deletion.")
PENDING_REPLICA_DELETION = Text("KMSInvalidStateException", "{arn} is pending replica deletion.")
NOT_PENDING_DELETION = Text("KMSInvalidStateException", "{arn} is not pending deletion.")
PENDING_IMPORT = Text("KMSInvalidStateException", "{arn} is pending import.")
UNAVAILABLE = Text("KMSInvalidStateException", "{arn} is unavailable.")
CREATING = Text("KMSInvalidStateException", "{arn} is creating.")
UPDATING = Text("KMSInvalidStateException", "{arn} is updating.")
ORIGIN_NOT_VALID = Text(
    "UnsupportedOperationException", "{arn} origin is {origin} which is not valid for this operation."
)
UNSUPPORTED = Text("UnsupportedOperationException", "{reason}")
UNSUPPORTED_SILENTLY = Text("UnsupportedOperationException")  # AWS sends no message here

# --- rotation, imported key material, multi-Region keys: messages without (B) captured from AWS KMS, 2026-09 ------
ROTATION_SOON = Text(
    "ConflictException",
    "The request was rejected because an automatic rotation of this key is currently in progress or scheduled to "
    "begin within the next 20 minutes.",
)  # (B): the API reference's words
TOO_MANY_ROTATIONS = Text(
    "LimitExceededException", "The on-demand rotation limit has been reached for the given KMS key. KeyId: {arn}"
)  # (B)
NO_MATERIAL_TO_ROTATE_TO = Text(
    "KMSInvalidStateException", "No available key material pending rotation for the key: {arn}."
)
REPLICA_LACKS_MATERIAL = Text(
    "KMSInvalidStateException",
    "Cannot perform key material rotation: Key material has not been imported for replicas of the Multi-Region key.",
)
ROTATION_OF_REPLICA = Text(
    "UnsupportedOperationException", "{arn} is a multi-region replica key which is not valid for {operation}."
)
MATERIAL_LIST_NOT_FOR_SPEC = Text(
    "ValidationException", "Input parameter includeKeyMaterial can only be used with symmetric keys."
)

# --- imported key material ---------------------------------------------------------------------------------------
WRAPPING_NOT_FOR_SPEC = Text(
    "ValidationException",
    "Wrapping algorithm {algorithm} and wrapping key spec {wrapping_spec} cannot be used to import a {spec} key.",
)
WRAPPING_NOT_IN_REGION = Text(
    "UnsupportedOperationException", "Wrapping algorithm {algorithm} is not supported in this Region."
)  # (B)
WRAPPED_SIZE = Text("ValidationException", "Invalid encrypted key size.")
VALID_TO_MISSING = Text(
    "ValidationException", "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"
)
VALID_TO_NOT_ALLOWED = Text(
    "ValidationException", "A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE"
)
VALID_TO_PAST = Text("ValidationException", "ValidTo must be in the future")
VALID_TO_TOO_FAR = Text("ValidationException", "ValidTo must be less than 365 days in the future")
IMPORT_MEMBER_NOT_FOR_SPEC = Text(
    "ValidationException", "Input parameter {member} cannot be used with {spec} imported keys."
)
MATERIAL_ID_OF_NEW_MATERIAL = Text(
    "ValidationException", "Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL importType."
)
NEW_MATERIAL_IN_REPLICA = Text(
    "ValidationException", "Input parameter ImportType NEW_KEY_MATERIAL cannot be used on replica Multi-Region keys"
)
DESCRIPTION_IN_REPLICA = Text(
    "ValidationException", "Key material description can only be specified on primary Multi-Region keys"
)
MATERIAL_PENDING = Text(
    "KMSInvalidStateException",
    "New key material (id: {material_id}) cannot be imported into KMS key {arn}, because another key material "
    "(id: {pending_id}) is pending rotation.",
)
INCORRECT_KEY_MATERIAL = Text(
    "IncorrectKeyMaterialException", "Imported key material does not have the expected identifier ({expected})."
)
NO_KEY_MATERIAL_YET = Text("IncorrectKeyMaterialException")  # the message is unknown (B)
KEY_MATERIAL_NOT_NEW = Text(
    "IncorrectKeyMaterialException",
    "Key material (id: {material_id}) being imported as NEW_KEY_MATERIAL is already associated with KMS key {arn}.",
)
INVALID_IMPORT_TOKEN = Text("InvalidImportTokenException")  # AWS sends no message here
EXPIRED_IMPORT_TOKEN = Text("ExpiredImportTokenException")  # the message is unknown (B)
MATERIAL_NOT_FOUND = Text(
    "ValidationException", "Key material (id: {material_id}) has never been imported into KMS key {arn}."
)

# --- multi-Region keys -------------------------------------------------------------------------------------------
NOT_MULTI_REGION = Text("UnsupportedOperationException", "{arn} is not a multi-Region key.")  # (B)
NOT_PRIMARY_TO_REPLICATE = Text("UnsupportedOperationException", "{arn} is not a multi-region primary key.")
NOT_PRIMARY_TO_MOVE = Text("KMSInvalidStateException", "{arn} is not a multi-Region primary key.")
REPLICA_EXISTS = Text(
    "AlreadyExistsException", "You can create only one replica of each primary key in each AWS Region."
)
REPLICA_BESIDE_PRIMARY = Text("ValidationException", "{region} cannot have a replica because it contains the primary.")
REPLICA_OUTSIDE_PARTITION = Text(
    "ValidationException", "The replica key Region must be in the same AWS partition as the primary key Region."
)
REGION_UNKNOWN = Text(
    "ValidationException",
    "Region {region} is not a valid Region or multi-Region keys are not supported in Region {region}.",
)
NO_REPLICA_THERE = Text("ValidationException", "{key_id} does not have a replica key in the specified Region.")

# --- cryptography ----------------------------------------------------------------------------------------------
USAGE_NOT_VALID = Text("InvalidKeyUsageException", "{arn} key usage is {usage} which is not valid for {operation}.")
ALGORITHM_NOT_FOR_SPEC = Text("InvalidKeyUsageException", "Algorithm {algorithm} is incompatible with key spec {spec}.")
# The other operations name the algorithm. Recorded: Hadoop's S3A documentation, "troubleshooting_s3a".
DATA_KEY_OF_ASYMMETRIC_KEY = Text("InvalidKeyUsageException", "You cannot generate a data key with an asymmetric CMK")
DATA_KEY_PAIR_OF_ASYMMETRIC_KEY = Text(
    "InvalidKeyUsageException", "You cannot generate a data key pair with an asymmetric CMK"
)
INVALID_CIPHERTEXT = Text("InvalidCiphertextException")  # AWS sends no message here
INVALID_SIGNATURE = Text("KMSInvalidSignatureException")  # AWS sends no message here
INVALID_MAC = Text("KMSInvalidMacException")  # AWS sends no message here
INCORRECT_KEY = Text(
    "IncorrectKeyException",
    "The key ID in the request does not identify a CMK that can perform this operation.",
)
THROTTLED = Text(
    "ThrottlingException", "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
)
DRY_RUN = Text("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
