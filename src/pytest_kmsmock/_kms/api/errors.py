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
    "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html",
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
OPERATION_NOT_GRANTABLE = Text(
    "ValidationException", "The grant operation {operation} is not supported for {arn}."
)  # (B)
ONE_CONTEXT_CONSTRAINT = Text(
    "ValidationException", "You can specify either EncryptionContextEquals or EncryptionContextSubset, but not both."
)  # (B): the guide's words
CONTEXT_CONSTRAINT_NOT_FOR_KEY = Text(
    "ValidationException", "Encryption context grant constraints are not supported for {arn}."
)  # (B)
HOW_TO_RETIRE = Text(
    "ValidationException", "You must specify either a grant token, or both a key ARN and a grant ID."
)  # (B)

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
INVALID_GRANT_TOKEN = Text("InvalidGrantTokenException")  # the text is unknown (B)
NO_PRINCIPAL = Text("InvalidArnException", "ARN does not refer to a valid principal: {arn}")
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

# --- rotation ----------------------------------------------------------------------------------------------------
ROTATION_UNDER_WAY = Text(
    "ConflictException",
    "The request was rejected because an automatic rotation of this key is currently in progress or scheduled to "
    "begin within the next 20 minutes.",
)  # (B): the API reference's words
TOO_MANY_ROTATIONS = Text(
    "LimitExceededException", "The on-demand rotation limit has been reached for the given KMS key. KeyId: {arn}"
)  # (B)
NO_MATERIAL_TO_ROTATE_TO = Text(
    "KMSInvalidStateException", "{arn} has no imported key material pending rotation."
)  # (B)

# --- imported key material ---------------------------------------------------------------------------------------
WRAPPING_NOT_FOR_SPEC = Text(
    "UnsupportedOperationException",
    "Wrapping algorithm {algorithm} with wrapping key spec {wrapping_spec} is not supported for key spec {spec}.",
)  # (B)
WRAPPING_NOT_IN_REGION = Text(
    "UnsupportedOperationException", "Wrapping algorithm {algorithm} is not supported in this Region."
)  # (B)
WRAPPED_SIZE = Text("ValidationException", "Invalid encrypted key size.")
VALID_TO_MISSING = Text(
    "ValidationException", "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"
)  # (B)
VALID_TO_NOT_ALLOWED = Text(
    "ValidationException", "A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE"
)  # (B)
VALID_TO_PAST = Text("ValidationException", "ValidTo must be in the future")  # (B)
VALID_TO_TOO_FAR = Text("ValidationException", "ValidTo must be at most 365 days from the request date")  # (B)
IMPORT_MEMBER_NOT_FOR_SPEC = Text(
    "UnsupportedOperationException", "{member} is not supported for key spec {spec}."
)  # (B)
MATERIAL_ID_OF_NEW_MATERIAL = Text(
    "ValidationException", "KeyMaterialId cannot be specified when ImportType is NEW_KEY_MATERIAL."
)  # (B)
NEW_MATERIAL_IN_REPLICA = Text(
    "UnsupportedOperationException",
    "New key material cannot be imported into the replica key {arn}. Import it into the primary key first.",
)  # (B)
MATERIAL_PENDING = Text(
    "KMSInvalidStateException", "{arn} already has key material pending rotation. Rotate the key or delete it first."
)  # (B)
INCORRECT_KEY_MATERIAL = Text("IncorrectKeyMaterialException")  # the text is unknown (B)
INVALID_IMPORT_TOKEN = Text("InvalidImportTokenException")  # the text is unknown (B)
EXPIRED_IMPORT_TOKEN = Text("ExpiredImportTokenException")  # the text is unknown (B)
MATERIAL_NOT_FOUND = Text("NotFoundException", "Key material {material_id} is not associated with {arn}.")  # (B)

# --- multi-Region keys -------------------------------------------------------------------------------------------
NOT_MULTI_REGION = Text("UnsupportedOperationException", "{arn} is not a multi-Region key.")  # (B)
NOT_PRIMARY = Text("UnsupportedOperationException", "{arn} is not a multi-Region primary key.")  # (B)
REPLICA_EXISTS = Text("AlreadyExistsException", "Key '{arn}' already exists")  # (B)
REPLICA_OUTSIDE_PARTITION = Text("ValidationException", "Region {region} is not in the partition {partition}.")  # (B)
REGION_UNKNOWN = Text("ValidationException", "{region} is not a Region where AWS KMS is available.")  # (B)
ALREADY_PRIMARY = Text("UnsupportedOperationException", "{arn} is already the primary key.")  # (B)

# --- cryptography ----------------------------------------------------------------------------------------------
USAGE_NOT_VALID = Text("InvalidKeyUsageException", "{arn} key usage is {usage} which is not valid for {operation}.")
ALGORITHM_NOT_FOR_SPEC = Text("InvalidKeyUsageException", "Algorithm {algorithm} is incompatible with key spec {spec}.")
# The other operations name the algorithm. Recorded: Hadoop's S3A documentation, "troubleshooting_s3a".
DATA_KEY_OF_ASYMMETRIC_KEY = Text("InvalidKeyUsageException", "You cannot generate a data key with an asymmetric CMK")
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
THROTTLED = Text(
    "ThrottlingException", "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
)
DRY_RUN = Text("DryRunOperationException", "The request would have succeeded, but the DryRun option is set.")

# --- custom key stores: texts without (B) are those of the Developer Guide, "Troubleshooting external key stores",
# https://docs.aws.amazon.com/kms/latest/developerguide/xks-troubleshooting.html -----------------------------------
STORE_NAME_IN_USE = Text(
    "CustomKeyStoreNameInUseException", "The custom key store name {name} is already in use."
)  # (B)
STORE_HAS_KEYS = Text("CustomKeyStoreHasCMKsException", "The custom key store {store} contains KMS keys.")  # (B)
STORE_TYPE = Text("ValidationException", "{member} is not valid for a custom key store of type {type}.")  # (B)
STORE_OF_OTHER_TYPE = Text(
    "ValidationException", "Origin {origin} is not valid for the custom key store {store} of type {type}."
)  # (B)
STORE_AND_MULTI_REGION = Text(
    "UnsupportedOperationException", "A KMS key in a custom key store cannot be a multi-Region key."
)  # (B)
TOO_MANY_STORES = Text("LimitExceededException", "You have reached the limit of {most} custom key stores.")  # (B)
CLUSTER_NOT_FOUND = Text("CloudHsmClusterNotFoundException", "The cluster {cluster} does not exist.")  # (B)
CLUSTER_NOT_ACTIVE = Text("CloudHsmClusterNotActiveException", "The cluster {cluster} is not active.")  # (B)
CLUSTER_IN_USE = Text(
    "CloudHsmClusterInUseException", "The cluster {cluster} is already associated with a custom key store."
)  # (B)
CLUSTER_NOT_RELATED = Text(
    "CloudHsmClusterNotRelatedException", "The cluster {cluster} has another cluster certificate."
)  # (B)
CLUSTER_TOO_SMALL = Text(
    "CloudHsmClusterInvalidConfigurationException", "The cluster {cluster} has fewer than {least} active HSMs."
)  # (B)
CLUSTER_OUT_OF_REACH = Text("KMSInvalidStateException", "KMS cannot communicate with your CloudHSM cluster")
WRONG_TRUST_ANCHOR = Text(
    "IncorrectTrustAnchorException", "The trust anchor certificate is not that of the cluster {cluster}."
)  # (B)
PROXY_URI_IN_USE = Text(
    "XksProxyUriInUseException", "The proxy URI {uri} is already associated with an external key store."
)  # (B)
PROXY_ENDPOINT_IN_USE = Text(
    "XksProxyUriEndpointInUseException", "The proxy URI endpoint {endpoint} is already in use."
)  # (B)
PROXY_SERVICE_IN_USE = Text(
    "XksProxyVpcEndpointServiceInUseException", "The VPC endpoint service {service} is already in use."
)  # (B)
PROXY_SERVICE_NOT_FOUND = Text(
    "XksProxyVpcEndpointServiceNotFoundException", "The VPC endpoint service {service} was not found."
)  # (B)
PROXY_SERVICE_MISMATCH = Text(
    "XksProxyVpcEndpointServiceInvalidConfigurationException",
    "The private DNS name of the VPC endpoint service does not match the XksProxyUriEndpoint.",
)  # (B)
PROXY_UNREACHABLE = Text(
    "XksProxyUriUnreachableException",
    "AWS KMS cannot communicate with the external key store proxy. This might be a transient network issue. If you "
    "see this error repeatedly, verify that your external key store proxy is active and is connected to the network, "
    "and that its endpoint URI is correct in your external key store.",
)
PROXY_TIMED_OUT = Text(
    "XksProxyUriUnreachableException",
    "AWS KMS rejected the request because the external key store proxy did not respond in time. Retry the request. If "
    "you see this error repeatedly, report it to your external key store proxy administrator.",
)
PROXY_RESPONSE = Text(
    "XksProxyInvalidResponseException",
    "AWS KMS cannot interpret the response from the external key store proxy. If you see this error repeatedly, "
    "consult your external key store proxy administrator.",
)
PROXY_TLS = Text(
    "XksProxyInvalidConfigurationException",
    "AWS KMS cannot establish a TLS connection to the external key store proxy. Verify the TLS configuration, "
    "including its certificate.",
)
PROXY_ACCESS = Text(
    "XksProxyInvalidConfigurationException",
    "The external key store proxy denied access to the operation. Verify that the user and the external key are both "
    "authorized for this operation, and try the request again.",
)  # the text is the guide's, for other operations; the code (B)
PROXY_PATH = Text(
    "XksProxyInvalidConfigurationException",
    "The external key store proxy rejected the request because of an invalid URI path. Verify the URI path for your "
    "external key store and update if necessary.",
)
PROXY_CREDENTIALS = Text(
    "XksProxyIncorrectAuthenticationCredentialException",
    "The external key store proxy rejected the request because it could not authenticate AWS KMS. Verify the "
    "credentials for your external key store and update if necessary.",
)
XKS_KEY_NOT_FOUND = Text(
    "XksKeyNotFoundException",
    "The external key store proxy rejected the request because it could not find the external key.",
)
XKS_KEY_IN_USE = Text(
    "XksKeyAlreadyInUseException", "The external key {xks_key} is already associated with another KMS key."
)  # (B)
XKS_KEY_SPEC = Text(
    "XksKeyInvalidConfigurationException",
    "The key spec of the external key must be AES_256. The key spec of specified external key is {spec}.",
)
XKS_KEY_STATUS = Text(
    "XksKeyInvalidConfigurationException",
    "The status of the external key must be ENABLED. The status of specified external key is {status}.",
)
XKS_KEY_USAGE = Text(
    "XksKeyInvalidConfigurationException",
    "The key usage of the external key must include ENCRYPT and DECRYPT. The key use of specified external key is "
    "{usage}.",
)
XKS_OUT_OF_REACH = (
    "AWS KMS cannot communicate with the external key store proxy. Verify that your external key store proxy is "
    "active and is connected to the network, and that its URI path and endpoint URI or VPC service name are correct "
    "in your external key store."
)
XKS_CRYPTO = Text("KMSInvalidStateException", "{reason}")
XKS_KEY_CANNOT = (
    "The external key store proxy rejected the request because the external key does not support the requested "
    "operation."
)
XKS_KEY_DISABLED = (
    "The external key store proxy rejected the request because the external key is not enabled in the external key "
    "manager."
)
XKS_CIPHERTEXT = Text(
    "KMSInvalidStateException",
    "The external key store proxy rejected the request because the specified ciphertext or additional authenticated "
    "data is corrupted, missing, or otherwise invalid.",
)
