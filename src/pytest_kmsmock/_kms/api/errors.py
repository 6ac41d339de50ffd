"""AWS's errors that the fake KMS raises, with messages and HTTP statuses; `key_store_errors` has those of key stores.

Errors for misuse of the package itself are in `pytest_kmsmock.errors`.
Call an `ErrorTemplate` with the values of its placeholders and raise the result. Messages marked (B) are not
confirmed by a recording of AWS; `docs/fidelity.md` lists them.
"""

from __future__ import annotations

from pytest_kmsmock._record import Record

#: Error codes of server faults, with status 500; every other code is a client error with status 400.
#: Source: the `fault` trait of the KMS service model.
SERVER_FAULTS = frozenset(
    {"DependencyTimeoutException", "InternalFailure", "KMSInternalException", "KeyUnavailableException",
     "ServiceUnavailableException"}
)  # fmt: skip


class KmsError(Exception):
    """An error response of AWS KMS.

    Args:
        code: the exception's name on the wire, such as `NotFoundException`.
        message: the error message; AWS leaves it empty for some errors.
        status: the HTTP status; by default the one that AWS uses for the code.
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
    """An error injected by a fault of the test.

    Args:
        code: as for `KmsError`; for a response without a body the HTTP status, for a failed connection the name of
            botocore's exception.
        message: the error message.
        status: the HTTP status.
        kind: `answer` for a KMS error response, `http` for a bare HTTP status, `connection` for a connection error
            without a response.
    """

    def __init__(self, code: str, message: str = "", *, status: int | None = None, kind: str = "answer") -> None:
        super().__init__(code, message, status=status)
        self.kind = kind
        self.lost_response: dict[str, object] | None = None  # the response that did not reach the caller


class ErrorTemplate(Record):
    """An error code and its message with placeholders."""

    code: str
    template: str = ""

    def __call__(self, **values: object) -> KmsError:
        """Return the error with the placeholders of the template filled in."""
        return KmsError(self.code, self.template.format(**values) if values else self.template)


# --- protocol --------------------------------------------------------------------------------------------------
UNKNOWN_OPERATION = ErrorTemplate("UnknownOperationException")
INTERNAL = ErrorTemplate(
    "KMSInternalException",
    "The request was rejected because an internal exception occurred. The request can be retried.",
)  # (B)
SERIALIZATION = ErrorTemplate("SerializationException", "{reason}")
MISSING_TOKEN = ErrorTemplate("MissingAuthenticationTokenException", "Missing Authentication Token")
INCOMPLETE_SIGNATURE = ErrorTemplate("IncompleteSignatureException", "{reason}")
BAD_REQUEST_SIGNATURE = ErrorTemplate("InvalidSignatureException", "{reason}")
SIGNATURE_DOES_NOT_MATCH = ErrorTemplate(
    "InvalidSignatureException",
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details.",
)
UNRECOGNIZED_CLIENT = ErrorTemplate(
    "UnrecognizedClientException", "The security token included in the request is invalid."
)
OPERATION_NOT_IMPLEMENTED = ErrorTemplate(
    "UnknownOperationException",
    "pytest-kmsmock does not know the KMS operation {operation}: the installed botocore is newer than this release. "
    "Update pytest-kmsmock, or patch the call in your test.",
)
VALUE_NOT_IMPLEMENTED = ErrorTemplate(
    "ValidationException",
    "pytest-kmsmock does not know the value {value}: the installed botocore is newer than this release. "
    "Update pytest-kmsmock, or patch the call in your test.",
)

VALUE_NOT_IN_BOTOCORE = ErrorTemplate(
    "ValidationException",
    "The installed botocore {installed} does not know the value {value}: it is older than this feature of KMS. "
    "Update botocore{since}.",
)

# --- validation ------------------------------------------------------------------------------------------------
INVALID = ErrorTemplate("ValidationException", "{reason}")
SPEC_GIVEN_TWICE = ErrorTemplate(
    "ValidationException",
    "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.",
)
USAGE_MISSING = ErrorTemplate(
    "ValidationException",
    "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.",
)
USAGE_NOT_FOR_SPEC = ErrorTemplate("ValidationException", "KeyUsage {usage} is not compatible with KeySpec {spec}")
SPEC_NOT_FOR_ORIGIN = ErrorTemplate("ValidationException", "KeySpec {spec} is not supported for Origin {origin}")
SPEC_NOT_IN_REGION = ErrorTemplate("UnsupportedOperationException", "KeySpec {spec} is not supported in this Region")
NUMBER_OF_BYTES = ErrorTemplate("ValidationException", "NumberOfBytes is required.")
DATA_KEY_SIZE = ErrorTemplate("ValidationException", "Please specify either number of bytes or key spec.")
DIGEST_LENGTH = ErrorTemplate("ValidationException", "Digest is invalid length for algorithm {algorithm}.")
ALIAS_PREFIX = ErrorTemplate(
    "ValidationException",
    'Alias must start with the prefix "alias/". Please see '
    "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
)
ALIAS_CHARACTERS = ErrorTemplate("ValidationException", "{alias} contains invalid characters for an alias")
ALIAS_OF_ALIAS = ErrorTemplate("ValidationException", "Aliases must refer to keys. Not aliases")  # (B)
ALIAS_CHANGES_USAGE = ErrorTemplate(
    "ValidationException",
    "Alias {alias} cannot be changed from a CMK with {what} {old} to a CMK with {what} {new}. "
    "The {what} of the current CMK and the new CMK must be the same.",
)  # (B)
MISSING = ErrorTemplate(
    "ValidationException",
    "1 validation error detected: Value null at '{parameter}' failed to satisfy constraint: Member must not be null",
)
PLAINTEXT_TOO_LONG = ErrorTemplate(
    "ValidationException",
    "Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {most} bytes.",
)
RAM_POLICY = ErrorTemplate("ValidationException", "The AWS_RAM policy can only be managed by the RAM service")
CONTEXT_ON_ASYMMETRIC = ErrorTemplate(
    "ValidationException", "EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs."
)
#: Recorded: danmx/sigil#46 (2019), claranet/sshm#2 (2020), of GenerateDataKey with an empty value.
INVALID_CONTEXT = ErrorTemplate("ValidationException", "Invalid EncryptionContext")
NULL = ErrorTemplate("ValidationException", "{parameter} must not be null")
DRY_RUN_MODIFIERS = ErrorTemplate(
    "ValidationException", "DryRunModifiers can only be specified when DryRun is true"
)  # (B)
MESSAGE_TYPE_NOT_FOR_ALGORITHM = ErrorTemplate(
    "ValidationException", "Message type {message_type} is incompatible with algorithm {algorithm}."
)
MESSAGE_TYPE_NOT_FOR_SPEC = ErrorTemplate(
    "ValidationException", "Message type {message_type} is incompatible with key spec {spec}."
)
EXTERNAL_MU_LENGTH = ErrorTemplate("ValidationException", "External Mu is invalid length for algorithm {algorithm}.")
INVALID_PEER_KEY = ErrorTemplate("ValidationException")  # AWS sends no message here
ONE_GRANTEE_PRINCIPAL = ErrorTemplate(
    "ValidationException", "You must specify either GranteePrincipal or GranteeServicePrincipal, but not both."
)  # (B): the API reference's words
ONE_RETIRING_PRINCIPAL = ErrorTemplate(
    "ValidationException", "You can specify either RetiringPrincipal or RetiringServicePrincipal, but not both."
)  # (B): the API reference's words
ONE_RETIRING_PRINCIPAL_TO_LIST = ErrorTemplate(
    "ValidationException", "You must specify either RetiringPrincipal or RetiringServicePrincipal, but not both."
)  # (B): the API reference's words
GRANTEE_SERVICE = ErrorTemplate(
    "ValidationException",
    "When you specify a GranteeServicePrincipal, you must also specify a SourceArn grant constraint and either a "
    "RetiringPrincipal or a RetiringServicePrincipal.",
)  # (B): the API reference's words
SERVICE_FILTER = ErrorTemplate(
    "ValidationException", "This filter is only usable by callers in a service principal."
)  # (B): the API reference's words
OPERATIONS_NOT_GRANTABLE = ErrorTemplate(
    "ValidationException",
    "Operations [{operations}] are not supported when creating a grant for {key} KMS key with key usage {usage}. "
    "Valid operations are [{valid}]",
)
ONLY_CREATE_GRANT = ErrorTemplate("ValidationException", "Grants must not contain only the CreateGrant operation.")
ONE_CONTEXT_CONSTRAINT = ErrorTemplate("ValidationException", "More than one constraint supplied")
CONTEXT_CONSTRAINT_NOT_FOR_KEY = ErrorTemplate(
    "ValidationException",
    "EncryptionContext is supported only when creating a grant for a symmetric encryption KMS key.",
)
RETIRE_GRANT_PARAMETERS = ErrorTemplate(
    "ValidationException", "You must specify either a grant token, or both a key ARN and a grant ID."
)  # (B)

# --- looking up resources ----------------------------------------------------------------------------------------
KEY_NOT_FOUND = ErrorTemplate("NotFoundException", "Key '{arn}' does not exist")
INVALID_KEY_ID = ErrorTemplate("NotFoundException", "Invalid keyId '{key_id}'")
INVALID_KEY_ID_IN_ARN = ErrorTemplate("NotFoundException", "Invalid keyId {key_id}")  # without quotes, as AWS sends it
#: Recorded of many operations since 2015 (boto/boto#3202, hashicorp/terraform#20813), whether or not the alias exists.
ALIASES_NOT_SUPPORTED = ErrorTemplate("InvalidArnException", "Key Aliases are not supported for this operation.")
INVALID_ARN = ErrorTemplate("InvalidArnException", "Invalid arn {arn}")
ARN_NOT_FOUND = ErrorTemplate("NotFoundException", "Invalid arn {arn}")  # observed of RetireGrant in 2026; else (B)
ARN_OF_OTHER_REGION = ErrorTemplate("NotFoundException", "Invalid arn {region}")
ALIAS_NOT_FOUND = ErrorTemplate("NotFoundException", "Alias {arn} is not found.")
ALIAS_EXISTS = ErrorTemplate("AlreadyExistsException", "An alias with the name {arn} already exists")
NOT_AUTHORIZED = ErrorTemplate("NotAuthorizedException")  # (B): that AWS sends no message
#: Recorded of GetKeyPolicy: a run in awsdocs/aws-doc-sdk-examples, SPECIFICATION.md of the KMS scenario.
POLICY_NOT_FOUND = ErrorTemplate("NotFoundException", "No such policy exists")
#: The message is recorded of PutKeyPolicy, in the code of that scenario and in its output. (B): the code of the error.
ONE_POLICY_PER_KEY = ErrorTemplate("LimitExceededException", "Only one policy per key is supported")
INVALID_GRANT_TOKEN = ErrorTemplate("InvalidGrantTokenException")  # the message is unknown (B)
PRINCIPAL_NOT_FOUND = ErrorTemplate("InvalidArnException", "ARN does not refer to a valid principal: {arn}")
INVALID_PRINCIPAL_ARN = ErrorTemplate("InvalidArnException", "ARN is not valid: {arn}")
PRINCIPAL_ID_NOT_FOUND = ErrorTemplate("InvalidArnException", "{parameter} does not refer to a valid principal.")
FILTER_PRINCIPAL_NOT_FOUND = ErrorTemplate("InvalidArnException", "Input does not refer to a valid principal")
RETIRING_PRINCIPAL_NOT_FOUND = ErrorTemplate("NotFoundException", "Retiring principal {principal} could not be found")
GRANT_NOT_FOUND = ErrorTemplate("NotFoundException", "Grant ID {grant_id} not found")  # (B)
INVALID_MARKER = ErrorTemplate("InvalidMarkerException")  # AWS sends no message here
TAG = ErrorTemplate("TagException", "{reason}")

# --- quotas ----------------------------------------------------------------------------------------------------
#: Recorded: scylladb/scylla-cluster-tests#7611 (2024).
ALIAS_QUOTA = ErrorTemplate(
    "LimitExceededException",
    "Aliases per key quota for this account in this region is {quota}, current usage is {used}.",
)
#: Recorded: convox/rack#347 (2016).
KEY_QUOTA = ErrorTemplate(
    "LimitExceededException", "Key quota for this account in this region is {quota} but the current usage is {used}."
)
GRANT_QUOTA = ErrorTemplate(
    "LimitExceededException",
    "Grants per key quota for this account in this region is {quota}, current usage is {used}.",
)  # (B): modelled on ALIAS_QUOTA
TAG_QUOTA = ErrorTemplate("LimitExceededException", "Too many tags")  # (B): the message of too many in one request
POLICY_SIZE = ErrorTemplate("LimitExceededException", "The key policy document is longer than {most} bytes.")  # (B)

# --- authorization ---------------------------------------------------------------------------------------------
ACCESS_DENIED = ErrorTemplate("AccessDeniedException", "{reason}")
KEY_NOT_VISIBLE = ErrorTemplate(
    "AccessDeniedException",
    "User: {caller} is not authorized to perform: {action} on this resource because the resource does not exist in "
    "this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
)
# Until about 2024: "The ciphertext refers to a customer master key that does not …"
CIPHERTEXT_KEY_NOT_VISIBLE = ErrorTemplate(
    "AccessDeniedException",
    "User: {caller} is not authorized to perform: {action} on the resource associated with this ciphertext because the "
    "resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy "
    "explicitly denies access",
)
MANAGED_KEY = ErrorTemplate(
    "AccessDeniedException",
    "User: {caller} is not authorized to perform: {action} on resource: {arn} because no resource-based policy "
    "allows the {action} action",
)
MALFORMED_POLICY = ErrorTemplate("MalformedPolicyDocumentException", "{reason}")
POLICY_LOCKOUT = ErrorTemplate(
    "MalformedPolicyDocumentException",
    "The new key policy will not allow you to update the key policy in the future.",
)
INVALID_PRINCIPAL = ErrorTemplate(
    "MalformedPolicyDocumentException", "Policy contains a statement with one or more invalid principals."
)

# --- key states (Developer Guide, "Key states of AWS KMS keys") --------------------------------------------------
DISABLED = ErrorTemplate("DisabledException", "{arn} is disabled.")
PENDING_DELETION = ErrorTemplate("KMSInvalidStateException", "{arn} is pending deletion.")
PENDING_REPLICA_DELETION = ErrorTemplate("KMSInvalidStateException", "{arn} is pending replica deletion.")
NOT_PENDING_DELETION = ErrorTemplate("KMSInvalidStateException", "{arn} is not pending deletion.")
PENDING_IMPORT = ErrorTemplate("KMSInvalidStateException", "{arn} is pending import.")
UNAVAILABLE = ErrorTemplate("KMSInvalidStateException", "{arn} is unavailable.")
CREATING = ErrorTemplate("KMSInvalidStateException", "{arn} is creating.")
UPDATING = ErrorTemplate("KMSInvalidStateException", "{arn} is updating.")
ORIGIN_NOT_VALID = ErrorTemplate(
    "UnsupportedOperationException", "{arn} origin is {origin} which is not valid for this operation."
)
UNSUPPORTED_WITHOUT_MESSAGE = ErrorTemplate("UnsupportedOperationException")  # AWS sends no message here

# --- rotation, imported key material, multi-Region keys: messages without (B) captured from AWS KMS, 2026-09 ------
ROTATION_IMMINENT = ErrorTemplate(
    "ConflictException",
    "The request was rejected because an automatic rotation of this key is currently in progress or scheduled to "
    "begin within the next 20 minutes.",
)  # (B): the API reference's words
TOO_MANY_ROTATIONS = ErrorTemplate(
    "LimitExceededException", "The on-demand rotation limit has been reached for the given KMS key. KeyId: {arn}"
)  # (B)
NO_MATERIAL_PENDING_ROTATION = ErrorTemplate(
    "KMSInvalidStateException", "No available key material pending rotation for the key: {arn}."
)
REPLICA_LACKS_MATERIAL = ErrorTemplate(
    "KMSInvalidStateException",
    "Cannot perform key material rotation: Key material has not been imported for replicas of the Multi-Region key.",
)
ROTATION_OF_REPLICA = ErrorTemplate(
    "UnsupportedOperationException", "{arn} is a multi-region replica key which is not valid for {operation}."
)
MATERIAL_LIST_NOT_FOR_SPEC = ErrorTemplate(
    "ValidationException", "Input parameter includeKeyMaterial can only be used with symmetric keys."
)

# --- imported key material ---------------------------------------------------------------------------------------
WRAPPING_NOT_FOR_SPEC = ErrorTemplate(
    "ValidationException",
    "Wrapping algorithm {algorithm} and wrapping key spec {wrapping_spec} cannot be used to import a {spec} key.",
)
WRAPPING_NOT_IN_REGION = ErrorTemplate(
    "UnsupportedOperationException", "Wrapping algorithm {algorithm} is not supported in this Region."
)  # (B)
WRAPPED_SIZE = ErrorTemplate("ValidationException", "Invalid encrypted key size.")
VALID_TO_MISSING = ErrorTemplate(
    "ValidationException", "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"
)
VALID_TO_NOT_ALLOWED = ErrorTemplate(
    "ValidationException", "A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE"
)
VALID_TO_PAST = ErrorTemplate("ValidationException", "ValidTo must be in the future")
VALID_TO_TOO_FAR = ErrorTemplate("ValidationException", "ValidTo must be less than 365 days in the future")
IMPORT_PARAMETER_NOT_FOR_SPEC = ErrorTemplate(
    "ValidationException", "Input parameter {parameter} cannot be used with {spec} imported keys."
)
MATERIAL_ID_OF_NEW_MATERIAL = ErrorTemplate(
    "ValidationException", "Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL importType."
)
NEW_MATERIAL_IN_REPLICA = ErrorTemplate(
    "ValidationException", "Input parameter ImportType NEW_KEY_MATERIAL cannot be used on replica Multi-Region keys"
)
DESCRIPTION_IN_REPLICA = ErrorTemplate(
    "ValidationException", "Key material description can only be specified on primary Multi-Region keys"
)
MATERIAL_PENDING = ErrorTemplate(
    "KMSInvalidStateException",
    "New key material (id: {material_id}) cannot be imported into KMS key {arn}, because another key material "
    "(id: {pending_id}) is pending rotation.",
)
INCORRECT_KEY_MATERIAL = ErrorTemplate(
    "IncorrectKeyMaterialException", "Imported key material does not have the expected identifier ({expected})."
)
NO_KEY_MATERIAL_YET = ErrorTemplate("IncorrectKeyMaterialException")  # the message is unknown (B)
KEY_MATERIAL_NOT_NEW = ErrorTemplate(
    "IncorrectKeyMaterialException",
    "Key material (id: {material_id}) being imported as NEW_KEY_MATERIAL is already associated with KMS key {arn}.",
)
INVALID_IMPORT_TOKEN = ErrorTemplate("InvalidImportTokenException")  # AWS sends no message here
EXPIRED_IMPORT_TOKEN = ErrorTemplate("ExpiredImportTokenException")  # the message is unknown (B)
MATERIAL_NOT_FOUND = ErrorTemplate(
    "ValidationException", "Key material (id: {material_id}) has never been imported into KMS key {arn}."
)

# --- multi-Region keys -------------------------------------------------------------------------------------------
NOT_MULTI_REGION = ErrorTemplate("UnsupportedOperationException", "{arn} is not a multi-Region key.")  # (B)
NOT_PRIMARY_TO_REPLICATE = ErrorTemplate("UnsupportedOperationException", "{arn} is not a multi-region primary key.")
NOT_PRIMARY_TO_MOVE = ErrorTemplate("KMSInvalidStateException", "{arn} is not a multi-Region primary key.")
REPLICA_EXISTS = ErrorTemplate(
    "AlreadyExistsException", "You can create only one replica of each primary key in each AWS Region."
)
REPLICA_IN_PRIMARY_REGION = ErrorTemplate(
    "ValidationException", "{region} cannot have a replica because it contains the primary."
)
REPLICA_OUTSIDE_PARTITION = ErrorTemplate(
    "ValidationException", "The replica key Region must be in the same AWS partition as the primary key Region."
)
REGION_UNKNOWN = ErrorTemplate(
    "ValidationException",
    "Region {region} is not a valid Region or multi-Region keys are not supported in Region {region}.",
)
NO_REPLICA_IN_REGION = ErrorTemplate(
    "ValidationException", "{key_id} does not have a replica key in the specified Region."
)

# --- cryptography ----------------------------------------------------------------------------------------------
USAGE_NOT_VALID = ErrorTemplate(
    "InvalidKeyUsageException", "{arn} key usage is {usage} which is not valid for {operation}."
)
ALGORITHM_NOT_FOR_SPEC = ErrorTemplate(
    "InvalidKeyUsageException", "Algorithm {algorithm} is incompatible with key spec {spec}."
)
# The other operations name the algorithm. Recorded: Hadoop's S3A documentation, "troubleshooting_s3a".
DATA_KEY_OF_ASYMMETRIC_KEY = ErrorTemplate(
    "InvalidKeyUsageException", "You cannot generate a data key with an asymmetric CMK"
)
DATA_KEY_PAIR_OF_ASYMMETRIC_KEY = ErrorTemplate(
    "InvalidKeyUsageException", "You cannot generate a data key pair with an asymmetric CMK"
)
INVALID_CIPHERTEXT = ErrorTemplate("InvalidCiphertextException")  # AWS sends no message here
INVALID_SIGNATURE = ErrorTemplate("KMSInvalidSignatureException")  # AWS sends no message here
INVALID_MAC = ErrorTemplate("KMSInvalidMacException")  # AWS sends no message here
INCORRECT_KEY = ErrorTemplate(
    "IncorrectKeyException",
    "The key ID in the request does not identify a CMK that can perform this operation.",
)
THROTTLED = ErrorTemplate(
    "ThrottlingException", "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
)
DRY_RUN = ErrorTemplate("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
