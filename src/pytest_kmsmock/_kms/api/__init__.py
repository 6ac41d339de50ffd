"""The KMS API as AWS publishes it: service model and validation, errors with their messages, ARNs, key specs."""
