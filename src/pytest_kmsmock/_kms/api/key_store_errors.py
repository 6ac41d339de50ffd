"""AWS's errors for custom key stores and keys in them.

Messages without (B) are from the Developer Guide, "Troubleshooting external key stores",
https://docs.aws.amazon.com/kms/latest/developerguide/xks-troubleshooting.html
"""

from __future__ import annotations

from .errors import ErrorTemplate

STORE_NOT_FOUND = ErrorTemplate("CustomKeyStoreNotFoundException", "The custom key store {store} does not exist.")
STORE_STATE = ErrorTemplate("CustomKeyStoreInvalidStateException", "{reason}")
STORE_NAME_IN_USE = ErrorTemplate(
    "CustomKeyStoreNameInUseException", "The custom key store name {name} is already in use."
)  # (B)
STORE_HAS_KEYS = ErrorTemplate(
    "CustomKeyStoreHasCMKsException", "The custom key store {store} contains KMS keys."
)  # (B)
STORE_TYPE = ErrorTemplate(
    "ValidationException", "{parameter} is not valid for a custom key store of type {type}."
)  # (B)
STORE_OF_OTHER_TYPE = ErrorTemplate(
    "ValidationException", "Origin {origin} is not valid for the custom key store {store} of type {type}."
)  # (B)
STORE_AND_MULTI_REGION = ErrorTemplate(
    "UnsupportedOperationException", "A KMS key in a custom key store cannot be a multi-Region key."
)  # (B)
TOO_MANY_STORES = ErrorTemplate(
    "LimitExceededException",
    "Custom key stores quota for this account in this region is {quota}, current usage is {used}.",
)  # (B): modelled on ALIAS_QUOTA
CLUSTER_NOT_FOUND = ErrorTemplate("CloudHsmClusterNotFoundException", "The cluster {cluster} does not exist.")  # (B)
CLUSTER_NOT_ACTIVE = ErrorTemplate("CloudHsmClusterNotActiveException", "The cluster {cluster} is not active.")  # (B)
CLUSTER_IN_USE = ErrorTemplate(
    "CloudHsmClusterInUseException", "The cluster {cluster} is already associated with a custom key store."
)  # (B)
CLUSTER_NOT_RELATED = ErrorTemplate(
    "CloudHsmClusterNotRelatedException", "The cluster {cluster} has another cluster certificate."
)  # (B)
CLUSTER_TOO_SMALL = ErrorTemplate(
    "CloudHsmClusterInvalidConfigurationException", "The cluster {cluster} has fewer than {least} active HSMs."
)  # (B)
CLUSTER_UNREACHABLE = ErrorTemplate("KMSInvalidStateException", "KMS cannot communicate with your CloudHSM cluster")
WRONG_TRUST_ANCHOR = ErrorTemplate(
    "IncorrectTrustAnchorException", "The trust anchor certificate is not that of the cluster {cluster}."
)  # (B)
PROXY_URI_IN_USE = ErrorTemplate(
    "XksProxyUriInUseException", "The proxy URI {uri} is already associated with an external key store."
)  # (B)
PROXY_ENDPOINT_IN_USE = ErrorTemplate(
    "XksProxyUriEndpointInUseException", "The proxy URI endpoint {endpoint} is already in use."
)  # (B)
PROXY_SERVICE_IN_USE = ErrorTemplate(
    "XksProxyVpcEndpointServiceInUseException", "The VPC endpoint service {service} is already in use."
)  # (B)
PROXY_SERVICE_NOT_FOUND = ErrorTemplate(
    "XksProxyVpcEndpointServiceNotFoundException", "The VPC endpoint service {service} was not found."
)  # (B)
PROXY_SERVICE_MISMATCH = ErrorTemplate(
    "XksProxyVpcEndpointServiceInvalidConfigurationException",
    "The private DNS name of the VPC endpoint service does not match the XksProxyUriEndpoint.",
)  # (B)
PROXY_UNREACHABLE = ErrorTemplate(
    "XksProxyUriUnreachableException",
    "AWS KMS cannot communicate with the external key store proxy. This might be a transient network issue. If you "
    "see this error repeatedly, verify that your external key store proxy is active and is connected to the network, "
    "and that its endpoint URI is correct in your external key store.",
)
PROXY_TIMED_OUT = ErrorTemplate(
    "XksProxyUriUnreachableException",
    "AWS KMS rejected the request because the external key store proxy did not respond in time. Retry the request. If "
    "you see this error repeatedly, report it to your external key store proxy administrator.",
)
PROXY_RESPONSE = ErrorTemplate(
    "XksProxyInvalidResponseException",
    "AWS KMS cannot interpret the response from the external key store proxy. If you see this error repeatedly, "
    "consult your external key store proxy administrator.",
)
PROXY_TLS = ErrorTemplate(
    "XksProxyInvalidConfigurationException",
    "AWS KMS cannot establish a TLS connection to the external key store proxy. Verify the TLS configuration, "
    "including its certificate.",
)
PROXY_ACCESS = ErrorTemplate(
    "XksProxyInvalidConfigurationException",
    "The external key store proxy denied access to the operation. Verify that the user and the external key are both "
    "authorized for this operation, and try the request again.",
)  # the guide has the message, for other operations; the code is (B)
PROXY_PATH = ErrorTemplate(
    "XksProxyInvalidConfigurationException",
    "The external key store proxy rejected the request because of an invalid URI path. Verify the URI path for your "
    "external key store and update if necessary.",
)
PROXY_CREDENTIALS = ErrorTemplate(
    "XksProxyIncorrectAuthenticationCredentialException",
    "The external key store proxy rejected the request because it could not authenticate AWS KMS. Verify the "
    "credentials for your external key store and update if necessary.",
)
XKS_KEY_NOT_FOUND = ErrorTemplate(
    "XksKeyNotFoundException",
    "The external key store proxy rejected the request because it could not find the external key.",
)
XKS_KEY_IN_USE = ErrorTemplate(
    "XksKeyAlreadyInUseException", "The external key {xks_key} is already associated with another KMS key."
)  # (B)
XKS_KEY_SPEC = ErrorTemplate(
    "XksKeyInvalidConfigurationException",
    "The key spec of the external key must be AES_256. The key spec of specified external key is {spec}.",
)
XKS_KEY_STATUS = ErrorTemplate(
    "XksKeyInvalidConfigurationException",
    "The status of the external key must be ENABLED. The status of specified external key is {status}.",
)
XKS_KEY_USAGE = ErrorTemplate(
    "XksKeyInvalidConfigurationException",
    "The key usage of the external key must include ENCRYPT and DECRYPT. The key use of specified external key is "
    "{usage}.",
)
XKS_UNREACHABLE = (
    "AWS KMS cannot communicate with the external key store proxy. Verify that your external key store proxy is "
    "active and is connected to the network, and that its URI path and endpoint URI or VPC service name are correct "
    "in your external key store."
)
XKS_CRYPTO = ErrorTemplate("KMSInvalidStateException", "{reason}")
XKS_KEY_OPERATION_UNSUPPORTED = (
    "The external key store proxy rejected the request because the external key does not support the requested "
    "operation."
)
XKS_KEY_DISABLED = (
    "The external key store proxy rejected the request because the external key is not enabled in the external key "
    "manager."
)
XKS_CIPHERTEXT = ErrorTemplate(
    "KMSInvalidStateException",
    "The external key store proxy rejected the request because the specified ciphertext or additional authenticated "
    "data is corrupted, missing, or otherwise invalid.",
)
