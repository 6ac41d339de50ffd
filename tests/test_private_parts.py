"""Private and patched parts of other packages that `src` relies on: a tripwire for each.

When a part's source is not one that was looked at, its test fails and says what to read. If what the row says still
holds, add the hash to the row, with the version.
"""

from __future__ import annotations

import ast
import hashlib
from importlib import metadata, util
from pathlib import Path
from typing import Any, NamedTuple

import pytest


class Part(NamedTuple):
    """A part of another package.

    Attributes:
        path: module and name.
        used_by: the module of ours that relies on it.
        holds: what has to be true of it.
        known: the hashes of sources of which it is true, each with the versions of the package that have it.
    """

    path: str
    used_by: str
    holds: str
    known: dict[str, str]


PARTS = (
    Part(
        "botocore.errorfactory:ClientExceptionsFactory",
        "_transport.hooks.shared_parts",
        "Makes the classes of a service once; knows nothing of its session.",
        {"078297e2dc72": "1.40.0 to 1.44.8"},
    ),
    Part(
        "botocore.session:Session._get_internal_component",
        "_transport.hooks.shared_parts",
        "Gives `exceptions_factory`, which clients are made with.",
        {"2bb9e6a164bf": "1.40.0 to 1.44.8"},
    ),
    Part(
        "botocore.session:Session._register_internal_component",
        "_transport.hooks.shared_parts",
        "Replaces it, and what is lazily registered.",
        {"fae815aa259e": "1.40.0 to 1.44.8"},
    ),
    Part(
        "botocore.loaders:Loader",
        "_transport.hooks.shared_parts",
        "What it remembers depends on its search paths alone.",
        {"55295632284a": "1.40.0 to 1.40.61", "9ba44d90b5aa": "1.43.117 to 1.44.8"},
    ),
    Part(
        "botocore.hooks:EventAliaser",
        "_transport.hooks.shared_parts",
        "`_alias_name_cache` depends on `_event_aliases` alone, and those are `EVENT_ALIASES` unless given.",
        {"347189f9261b": "1.40.0 to 1.40.61", "7aaa4253f115": "1.43.117 to 1.44.8"},
    ),
    Part(
        "botocore.session:Session.__init__",
        "_transport.hooks.shared_parts",
        "Takes `EventAliaser` from its module.",
        {"d7526de3ad7e": "1.40.0 to 1.44.8"},
    ),
    Part(
        "botocore.hooks:BaseEventHooks._verify_accept_kwargs",
        "_transport.hooks.shared_parts",
        "Takes `accepts_kwargs` from its module.",
        {"0314071e4d9f": "1.40.0 to 1.44.8"},
    ),
    Part(
        "boto3.session:Session._setup_loader",
        "_transport.hooks.shared_parts",
        "Adds boto3's data to the search paths; `_session` is the session of botocore.",
        {"160ff98e1e99": "1.40.0 to 1.44.8"},
    ),
    Part(
        "botocore.awsrequest:AWSResponse",
        "_transport.hooks.responses",
        "`Answer` is one without its `__init__`: `url`, `status_code`, `headers`, `raw`; the body is in `_content`.",
        {"404b84828da9": "1.40.0 to 1.44.8"},
    ),
    Part(
        "botocore.awsrequest:HeadersDict",
        "_transport.hooks.botocore_hook",
        "`_dict` maps `_HeaderKey` to values.",
        {"ea8e870a428a": "1.40.0 to 1.44.8"},
    ),
    Part(
        "botocore.awsrequest:_HeaderKey",
        "_transport.hooks.botocore_hook",
        "`_lower` is the name in lower case.",
        {"6015749a3c28": "1.40.0 to 1.44.8"},
    ),
    Part(
        "botocore.client:BaseClient._make_api_call",
        "_transport.hooks.botocore_hook",
        "What `before-call` answers is taken as (http, parsed response) and nothing is signed or sent.",
        {"e20b2659b0af": "1.40.0 to 1.40.61", "92aaecbfe8af": "1.43.117 to 1.44.8"},
    ),
    Part(
        "botocore.configprovider:ChainProvider.__init__",
        "_transport.hooks.configuration",
        "Keeps what it is given in `_providers` and `_conversion_func`, and nothing else.",
        {"31824372aa6a": "1.40.0 to 1.44.8"},
    ),
    Part(
        "botocore.credentials:RefreshableCredentials.access_key",
        "_transport.hooks.botocore_hook",
        "It refreshes; `_access_key` does not.",
        {"fe6673e13772": "1.40.0 to 1.44.8"},
    ),
    Part(
        "botocore.credentials:RefreshableCredentials.__init__",
        "_services.api",
        "Keeps them in `_access_key`, `_secret_key` and `_token`.",
        {"a678d491886b": "1.40.0 to 1.40.61", "663e2a95dc87": "1.43.117 to 1.44.8"},
    ),
    Part(
        "botocore.endpoint:Endpoint._send_request",
        "_transport.hooks.retry_backoff",
        "Between attempts it pauses in `_needs_retry`, nowhere else.",
        {"d73b3f70a533": "1.40.0 to 1.44.8"},
    ),
    Part(
        "botocore.endpoint:Endpoint._needs_retry",
        "_transport.hooks.retry_backoff",
        "`needs-retry` fires before it sleeps by `time.sleep` of its module.",
        {"ea6c49719729": "1.40.0 to 1.40.61", "6ac31eda69db": "1.43.117 to 1.44.8"},
    ),
    Part(
        "botocore.endpoint:Endpoint._do_get_response",
        "_transport.hooks.botocore_hook",
        "What `before-send` answers is parsed as a response from the wire.",
        {"68bf814cf1b0": "1.40.0 to 1.44.8"},
    ),
    Part(
        "botocore.httpsession:URLLib3Session.send",
        "_transport.hooks.botocore_hook",
        "All requests of clients go through it: a prepared request in, an `AWSResponse` out. Its place is taken.",
        {"66d2fc194a98": "1.40.0", "43e9693f8045": "1.40.61", "d19cca268245": "1.43.117 to 1.44.8"},
    ),
    Part(
        "botocore.parsers:ResponseParserFactory",
        "_transport.hooks.botocore_hook",
        "`_defaults` has what `set_parser_defaults` was given, and is empty otherwise.",
        {"cc3510e888fa": "1.40.0 to 1.44.8"},
    ),
    Part(
        "botocore.retries.bucket:TokenBucket.acquire",
        "_transport.hooks.retry_backoff",
        "Takes `amount` and `block`; raises CapacityNotAvailableError if it may not block.",
        {"d494e3b9e97a": "1.40.0 to 1.44.8"},
    ),
    Part(
        "botocore.session:Session._add_configured_endpoint_provider",
        "_transport.hooks.configuration",
        "Each client of a service gets its configuration there; `client_name` is the service.",
        {"4fcec3896e91": "1.40.0 to 1.44.8"},
    ),
    Part(
        "botocore.session:Session.create_client",
        "_transport.hooks.credential_sources",
        "After the name of the Region come four arguments, then the access key. Its place is taken.",
        {"d0f619814110": "1.40.0", "2421b4c4ddc3": "1.40.61 to 1.44.8"},
    ),
    Part(
        "botocore.session:Session.get_credentials",
        "_transport.hooks.credential_sources",
        "Looks for credentials unless `_credentials` are there; `create_client` does not call it if it is given some.",
        {"e2f51ab39b29": "1.40.0 to 1.44.8"},
    ),
    Part(
        "botocore.session:Session._register_builtin_handlers",
        "_mock.clients",
        "BUILTIN_HANDLERS has (event, handler) or (event, handler, when) with REGISTER_FIRST or REGISTER_LAST.",
        {"fcf24d19aacf": "1.40.0 to 1.44.8"},
    ),
    Part(
        "botocore.signers:RequestSigner.__init__",
        "_transport.hooks.botocore_hook",
        "Keeps credentials in `_credentials`, and the client's event emitter in `_event_emitter`.",
        {"5dc4e293432a": "1.40.0 to 1.44.8"},
    ),
    Part(
        "botocore.endpoint:Endpoint._needs_retry",
        "_services.botocore_events",
        "Asks the handlers of `needs-retry` with these arguments; the first response that is not None, nor False since "
        "1.43, is the backoff.",
        {"ea6c49719729": "1.40.0 to 1.40.61", "6ac31eda69db": "1.43.117 to 1.44.8"},
    ),
    Part(
        "aiobotocore.client:AioBaseClient._make_api_call",
        "_transport.hooks.botocore_hook",
        "What `before-call` answers is taken as (http, parsed response).",
        {"d766a7594def": "2.25.1", "f81f4771e81d": "3.10.0"},
    ),
    Part(
        "aiobotocore.credentials:AioRefreshableCredentials.access_key",
        "_transport.hooks.botocore_hook",
        "Cannot be read; `_access_key` can, and does not refresh.",
        {"a49a10c4c897": "2.25.1", "460942373982": "3.10.0"},
    ),
    Part(
        "aiobotocore.endpoint:AioEndpoint._send_request",
        "_transport.hooks.retry_backoff",
        "Between attempts it pauses in `_needs_retry`, nowhere else.",
        {"1e15fd70757b": "2.25.1 to 3.10.0"},
    ),
    Part(
        "aiobotocore.endpoint:AioEndpoint._needs_retry",
        "_transport.hooks.retry_backoff",
        "`needs-retry` fires before it sleeps, by `asyncio.sleep` of its module or by its method `_sleep`.",
        {"75043ee3c64b": "2.25.1", "4b214621d695": "3.10.0"},
    ),
    Part(
        "aiobotocore.endpoint:AioEndpoint._do_get_response",
        "_transport.hooks.botocore_hook",
        "What `before-send` answers may be awaitable, and so may its content.",
        {"384f4f8f485a": "2.25.1 to 3.10.0"},
    ),
    Part(
        "aiobotocore.session:AioSession.create_client",
        "_transport.hooks.credential_sources",
        "Takes the arguments of botocore's.",
        {"af0eb0aa505c": "2.25.1 to 3.10.0"},
    ),
    Part(
        "aiobotocore.retries.bucket:AsyncTokenBucket.acquire",
        "_transport.hooks.retry_backoff",
        "Takes `amount` and `block`; raises CapacityNotAvailableError if it may not block.",
        {"7d258539c3f4": "2.25.1 to 3.10.0"},
    ),
    Part(
        "_pytest.config:Config._get_unknown_ini_keys",
        "plugin",
        "Gives the names in the ini file that no plugin has added.",
        {"dab812a819b1": "8.0.0 to 8.2.0", "9708624069aa": "9.0.0", "30efe2579507": "9.2.0"},
    ),
    Part(
        "_pytest.fixtures:FuncFixtureInfo",
        "plugin",
        "`_fixtureinfo` is one: `argnames`, `initialnames`, `name2fixturedefs`.",
        {"ecf5e6ab9179": "8.0.0 to 8.2.0", "d94544985d76": "9.2.0"},
    ),
    Part(
        "_pytest.fixtures:pytest_sessionstart",
        "plugin",
        "Puts the `FixtureManager` into `session._fixturemanager`.",
        {"bac092720795": "8.0.0 to 8.2.0", "a7a5d9c8f826": "9.2.0"},
    ),
    Part(
        "_pytest.fixtures:FixtureManager.parsefactories",
        "plugin",
        "Takes a holder of fixtures and a node's id; used where there is no `pytest.register_fixture`.",
        {"ae96fcf33140": "8.0.0", "34f12fdeb091": "8.2.0 to 9.2.0"},
    ),
    Part(
        "_pytest.fixtures:FixtureManager.getfixtureclosure",
        "plugin",
        "Gives `names_closure` in the order in which fixtures are set up.",
        {"9510363fba35": "8.0.0", "2c77c46dd08c": "8.2.0", "d7c4554dc70b": "9.2.0"},
    ),
    Part(
        "requests.adapters:HTTPAdapter.build_response",
        "_transport.hooks.requests_hook",
        "Takes the request and a response of urllib3, as `responses` makes them; needs no connection.",
        {"bdf7a4f64543": "2.34.2"},
    ),
    Part(
        "requests.sessions:Session.send",
        "_transport.hooks.requests_hook",
        "All requests go through it, adapters come after it, and it calls response hooks.",
        {"ee680a2136df": "2.34.2"},
    ),
    Part(
        "requests_mock.mocker:MockerCore.start",
        "_transport.hooks.requests_hook",
        "It replaces `Session.send`, and goes on by the module's `_original_send`.",
        {"0ae7d353c0ca": "1.12.1"},
    ),
    Part(
        "responses:Response.get_response",
        "_transport.hooks.requests_hook",
        "Gives a response of urllib3 that `HTTPAdapter.build_response` takes.",
        {"fe34bcf8a709": "0.25.0", "69c3c316f16d": "0.26.3"},
    ),
    Part(
        "moto.awslambda.utils:get_backend",
        "_moto.settings.awslambda",
        "Gives the backend that has the functions of an account and Region, whichever runs them.",
        {"e90a6e479dec": "5.2.5"},
    ),
    Part(
        "moto.cloudformation.parsing:resource_class_from_type",
        "_moto.cloudformation",
        "Gives the class that makes resources of a type. Its place is taken.",
        {"6927d7172f55": "5.0.0 to 5.1.6", "f0eb48efe828": "5.2.5"},
    ),
    Part(
        "moto.core.base_backend:BackendDict.__getitem__",
        "_moto.backend",
        "All services ask `kms_backends` for the backends of an account by it. A subclass takes its place.",
        {"5b3327fe7a35": "5.0.0 to 5.2.5"},
    ),
    Part(
        "moto.events.models:EventsBackend.put_events",
        "_moto.deliveries",
        "Takes the entries of PutEvents and sends each to the rules of its bus; its place is taken.",
        {"27c424f59899": "5.1.6", "e93cddad8865": "5.2.5"},
    ),
    Part(
        "moto.core.botocore_stubber:BotocoreStubber.process_request",
        "_moto.stubber",
        "All requests that moto answers go through it; None lets them pass.",
        {"60443066da8d": "5.0.0", "4bf83202b184": "5.1.6", "284293283769": "5.2.5"},
    ),
    Part(
        "moto.core.models:MockAWS.start",
        "_moto.scopes",
        "`_nested_count` is 0 before the first; only then boto3's default session is replaced.",
        {"7460c5eceafa": "5.0.0", "e58d974fc8eb": "5.1.6 to 5.2.5"},
    ),
    Part(
        "moto.core.models:MockAWS.stop",
        "_moto.scopes",
        "`_nested_count` is 0 after the last, when environment variables and default session are put back.",
        {"7afa3c8a243d": "5.0.0", "de318e6e67b1": "5.1.6 to 5.2.5"},
    ),
    Part(
        "moto.core.models:MockAWS._enable_patching",
        "_moto.start",
        "Called once moto begins to answer, after its data is reset.",
        {"4e908ea0e4dd": "5.0.0 to 5.2.0", "6784f11a4221": "5.2.5"},
    ),
    Part(
        "moto.events.models:Rule._send_to_sqs_queue",
        "_moto.deliveries",
        "Sends an event to one queue; takes its place.",
        {"1a4843fb7444": "5.1.0 to 5.1.6", "01d2237ac8b7": "5.2.5"},
    ),
    Part(
        "moto.s3.notifications:_send_sqs_message",
        "_moto.deliveries",
        "Sends a notification of a bucket to one queue.",
        {"6d0c9de1f8c8": "5.1.0 to 5.2.5"},
    ),
    Part(
        "moto.s3.notifications:_send_sns_message",
        "_moto.deliveries",
        "Sends a notification of a bucket to one topic.",
        {"1cd1624b6130": "5.1.0 to 5.2.5"},
    ),
    Part(
        "moto.sns.models:Subscription.publish",
        "_moto.deliveries",
        "Asks `_filter_policy_matcher` before it delivers.",
        {"79b376f7c05d": "5.1.0", "7c2975a80592": "5.1.6", "175908ca87fb": "5.2.5"},
    ),
    Part(
        "moto.ssm.models:SimpleSystemManagerBackend.__init__",
        "_moto.settings.ssm",
        "`_parameters` maps names to lists of versions, the latest last.",
        {"fe2ecacaea47": "5.0.0", "edd1b1bcb482": "5.1.0 to 5.1.6", "18d0d0d358f2": "5.2.5"},
    ),
)


def source_of(path: str) -> str:
    """Return the source of a part, read from its file: during a run fakes may be in its place, ours among them."""
    module, _, names = path.partition(":")
    package, _, rest = module.partition(".")
    spec = util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None, path
    # Nothing is imported: moto, for one, adds handlers to every client by that.
    place = Path(spec.origin).parent.joinpath(*rest.split("."))
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    text = file.read_text(encoding="utf-8")
    found: Any = ast.parse(text)
    for name in names.split("."):
        found = next(node for node in found.body if getattr(node, "name", None) == name)
    return ast.get_source_segment(text, found) or ""


def hash_of(path: str) -> str:
    return hashlib.sha256(source_of(path).encode()).hexdigest()[:12]


def package_of(path: str) -> str:
    return path.partition(":")[0].partition(".")[0].removeprefix("_")


@pytest.mark.parametrize(
    "part", [part for part in PARTS if util.find_spec(package_of(part.path))], ids=lambda part: part.path
)
def test_a_private_part_is_as_it_was_looked_at(part: Part) -> None:
    package = package_of(part.path).replace("_", "-")
    found = hash_of(part.path)
    assert found in part.known, (
        f"{part.path} is another in {package} {metadata.version(package)}: {found}. "
        f"pytest_kmsmock.{part.used_by} relies on it: {part.holds} Read what has changed since "
        f"{', '.join(part.known.values())}; if that still holds, add {found!r} to its row here."
    )
