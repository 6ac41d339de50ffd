"""Every error that the fake KMS answers, with its HTTP status and its text.

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

    def __init__(self, code: str, message: str = "", *, status: int | None = None) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = status or (500 if code in SERVER_FAULTS else 400)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


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
SERIALIZATION = Text("SerializationException", "{reason}")
MISSING_TOKEN = Text("MissingAuthenticationTokenException", "Missing Authentication Token")
NOT_BUILT = Text(
    "UnknownOperationException",
    "pytest-kmsmock does not know the KMS operation {operation}: the installed botocore is newer than this release. "
    "Update pytest-kmsmock, or patch the call in your test.",
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
SPEC_NOT_IN_REGION = Text("UnsupportedOperationException", "KeySpec {spec} is not supported in this Region.")
DATA_KEY_SIZE = Text("ValidationException", "Please specify either number of bytes or key spec.")
DIGEST_LENGTH = Text("ValidationException", "Digest is invalid length for algorithm {algorithm}.")
ALIAS_PREFIX = Text(
    "ValidationException",
    'Alias must start with the prefix "alias/". Please see '
    "http://docs.aws.amazon.com/kms/latest/developerguide/programming-aliases.html",
)
ALIAS_CHARACTERS = Text("ValidationException", "{alias} contains invalid characters for an alias")
ALIAS_OF_ALIAS = Text("ValidationException", "Aliases must refer to keys. Not aliases")
ALIAS_CHANGES_USAGE = Text(
    "ValidationException",
    "Alias {alias} cannot be changed from a CMK with {what} {old} to a CMK with {what} {new}. "
    "The {what} of the current CMK and the new CMK must be the same.",
)
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
EXTERNAL_MU_LENGTH = Text("ValidationException", "External Mu is invalid length for algorithm {algorithm}.")  # (B)
PEER_KEY = Text("ValidationException", "The public key is not a valid public key of key spec {spec}.")  # (B)

# --- finding things --------------------------------------------------------------------------------------------
KEY_NOT_FOUND = Text("NotFoundException", "Key '{arn}' does not exist")
INVALID_KEY_ID = Text("NotFoundException", "Invalid keyId {key_id}")
INVALID_ARN = Text("InvalidArnException", "Invalid arn {arn}")
ARN_NOT_FOUND = Text("NotFoundException", "Invalid arn {arn}")  # (B)
ARN_OF_OTHER_REGION = Text("NotFoundException", "Invalid arn {region}")
ALIAS_NOT_FOUND = Text("NotFoundException", "Alias {arn} is not found.")
ALIAS_EXISTS = Text("AlreadyExistsException", "An alias with the name {arn} already exists")
NOT_AUTHORIZED = Text("NotAuthorizedException")
POLICY_NOT_FOUND = Text("NotFoundException", "No such policy exists")
GRANT_NOT_FOUND = Text("NotFoundException", "Grant ID {grant_id} not found")
INVALID_MARKER = Text("InvalidMarkerException", "Invalid marker.")
LIMIT_EXCEEDED = Text("LimitExceededException", "{reason}")
TAG = Text("TagException", "{reason}")

# --- authorization ---------------------------------------------------------------------------------------------
ACCESS_DENIED = Text("AccessDeniedException", "{reason}")
KEY_OUT_OF_SIGHT = Text(
    "AccessDeniedException",
    "User: {caller} is not authorized to perform: {action} on this resource because the resource does not exist in "
    "this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
)
CIPHERTEXT_OUT_OF_SIGHT = Text(
    "AccessDeniedException",
    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, "
    "or you are not allowed to access.",
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

# --- cryptography ----------------------------------------------------------------------------------------------
USAGE_NOT_VALID = Text("InvalidKeyUsageException", "{arn} key usage is {usage} which is not valid for {operation}.")
ALGORITHM_NOT_FOR_SPEC = Text("InvalidKeyUsageException", "Algorithm {algorithm} is incompatible with key spec {spec}.")
SPEC_NOT_VALID = Text("InvalidKeyUsageException", "{arn} key KeySpec is {spec} which is not valid for {operation}.")
INVALID_CIPHERTEXT = Text("InvalidCiphertextException")  # AWS sends no message here
INVALID_SIGNATURE = Text("KMSInvalidSignatureException")  # AWS sends no message here (B)
INVALID_MAC = Text("KMSInvalidMacException")  # AWS sends no message here (B)
INCORRECT_KEY = Text(
    "IncorrectKeyException",
    "The key ID in the request does not identify a CMK that can perform this operation.",
)
STORE_NOT_FOUND = Text("CustomKeyStoreNotFoundException", "The custom key store {store} does not exist.")
STORE_STATE = Text("CustomKeyStoreInvalidStateException", "{reason}")
DRY_RUN = Text("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")
