from __future__ import annotations

import gc
import itertools
import random
import sys
import threading
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from pytest_kmsmock import mock_kms
from pytest_kmsmock._kms.api.key_specs import KEY_SPECS
from pytest_kmsmock._kms.crypto import Material, generate
from pytest_kmsmock._kms.entropy import key_source
from pytest_kmsmock._kms.entropy.key_source import RSA_POOL, KeySource, LazyMaterial, RsaPool, expand

AES = KEY_SPECS["SYMMETRIC_DEFAULT"]
RSA = KEY_SPECS["RSA_2048"]
P256 = KEY_SPECS["ECC_NIST_P256"]


class Key:
    """Stands for an RSA key where only its identity and its size matter."""

    def __init__(self, bits: int) -> None:
        self.key_size = bits

    def public_key(self) -> Key:
        return self

    def public_numbers(self) -> Key:
        return self

    @property
    def n(self) -> int:
        return id(self)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Key]:
    """The keys that were made, instead of given again."""
    keys: list[Key] = []

    def generate_key(bits: int, *random: object) -> Key:
        keys.append(Key(bits))
        return keys[-1]

    monkeypatch.setattr(key_source, "new_rsa_key", generate_key)
    return keys


def test_one_source_never_gives_a_key_twice(made: list[Key]) -> None:
    source = KeySource(pool=RsaPool())
    assert len({id(source.rsa(2048)) for _ in range(5)}) == 5 == len(made)


def test_a_closed_source_releases_its_keys_to_the_next(made: list[Key]) -> None:
    shared = RsaPool()
    first = KeySource(pool=shared)
    keys = [first.rsa(2048) for _ in range(3)]
    first.close()
    second = KeySource(pool=shared)
    assert [second.rsa(2048) for _ in range(2)] == keys[:2]
    assert len(made) == 3


def test_consecutive_sources_get_different_keys(made: list[Key]) -> None:
    """So that a public key which outlived its test is noticed."""
    shared, given = RsaPool(), []
    for _ in range(6):
        source = KeySource(pool=shared)
        given.append(source.rsa(2048))
        source.close()
    assert all(first is not second for first, second in itertools.pairwise(given))
    assert len(made) == 2


def test_a_retired_key_is_never_reused(made: list[Key]) -> None:
    shared = RsaPool()
    first = KeySource(pool=shared)
    in_use, free, other = (first.rsa(2048) for _ in range(3))
    shared.retire(in_use)
    first.close()
    shared.retire(free)
    second = KeySource(pool=shared)
    given = [second.rsa(2048) for _ in range(4)]
    assert in_use not in given
    assert free not in given
    assert other not in made[3:]


def test_a_loaded_key_is_not_the_key_of_a_new_one() -> None:
    """A dump of this process is loaded: its RSA key must not come out of the pool again."""
    with mock_kms() as kms:
        kms.create_key(alias="alias/loaded", spec="RSA_2048", usage="SIGN_VERIFY")
        document = kms.dump()
    with mock_kms() as kms:
        kms.load(document)
        loaded = kms.keys["alias/loaded"].public_key
        for _ in range(3):
            assert kms.create_key(spec="RSA_2048", usage="SIGN_VERIFY").public_key != loaded


def test_two_open_sources_have_no_key_in_common(made: list[Key]) -> None:
    shared = RsaPool()
    sources = [KeySource(pool=shared) for _ in range(2)]
    keys = [source.rsa(2048) for _ in range(3) for source in sources]
    assert len({id(key) for key in keys}) == 6


def test_keys_are_given_by_size(made: list[Key]) -> None:
    shared = RsaPool()
    first = KeySource(pool=shared)
    first.rsa(2048)
    first.rsa(2048)
    first.close()
    assert KeySource(pool=shared).rsa(4096).key_size == 4096
    assert KeySource(pool=shared).rsa(2048) is made[0]


def test_keys_of_a_closed_source_are_given_back_once(made: list[Key]) -> None:
    shared = RsaPool()
    source = KeySource(pool=shared)
    source.rsa(2048)
    source.close()
    source.close()
    next_source = KeySource(pool=shared)
    assert next_source.rsa(2048) is not next_source.rsa(2048)


def test_a_closed_source_generates_keys_outside_of_the_pool(made: list[Key]) -> None:
    shared = RsaPool()
    source = KeySource(pool=shared)
    given = source.rsa(2048)
    source.close()
    late = source.rsa(2048)
    source.close()
    assert late is not given
    assert KeySource(pool=shared).rsa(2048) not in (given, late)


def test_a_source_closed_while_it_draws_keeps_the_key_out_of_the_pool(made: list[Key]) -> None:
    class Closing(RsaPool):
        def draw(self, bits: int) -> RSAPrivateKey:
            source.close()
            return super().draw(bits)

    shared = Closing()
    source = KeySource(pool=shared)
    drawn = source.rsa(2048)
    source.close()
    assert RsaPool.draw(shared, 2048) is not drawn


def test_threads_draw_different_keys(made: list[Key]) -> None:
    source = KeySource(pool=RsaPool())
    with ThreadPoolExecutor(8) as threads:
        keys = list(threads.map(lambda _: source.rsa(2048), range(200)))
    assert len({id(key) for key in keys}) == 200


def test_the_pool_of_the_process_is_the_default() -> None:
    first = KeySource()
    key = first.generate(RSA)
    assert first.random(3) != first.random(3)
    first.close()
    second = KeySource()
    assert second.rsa(2048).key_size == 2048
    second.close()
    assert isinstance(RSA_POOL, RsaPool)
    # A key goes on to work when its source is closed.
    assert key.sign("RSASSA_PSS_SHA_256", b"m", "RAW")


def test_a_seeded_source_does_not_use_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[int, bytes]] = []
    monkeypatch.setattr(key_source, "new_rsa_key", lambda bits, random: drawn.append((bits, random(4))))
    KeySource(lambda length: b"r" * length).rsa(2048)
    assert drawn == [(2048, b"rrrr")]


def test_a_seeded_source_is_read_by_one_thread_at_a_time() -> None:
    inside = threading.Lock()

    def random_bytes(length: int) -> bytes:
        assert inside.acquire(blocking=False)
        threading.Event().wait(0.001)
        inside.release()
        return bytes(length)

    source = KeySource(random_bytes)
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(source.random, [2] * 20)) == [bytes(2)] * 20


def test_lazy_material_is_made_once_and_stays() -> None:
    lazy = LazyMaterial(AES, KeySource())
    first = lazy.get()
    assert lazy.get() is first
    assert lazy.spec is AES


def test_lazy_material_is_made_by_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = itertools.count()
    start = threading.Barrier(8)

    def slowly(spec: object, random: object) -> Material:
        next(calls)
        threading.Event().wait(0.02)
        return generate(AES)

    monkeypatch.setattr(key_source, "generate", slowly)
    lazy = LazyMaterial(AES, KeySource())

    def get(_: int) -> Material:
        start.wait()
        return lazy.get()

    with ThreadPoolExecutor(8) as threads:
        assert len({id(material) for material in threads.map(get, range(8))}) == 1
    assert next(calls) == 1


def test_given_material_is_kept() -> None:
    material = generate(P256)
    lazy = LazyMaterial.of(material)
    assert lazy.get() is material
    assert lazy.spec is P256


def test_lazy_material_draws_rsa_keys_from_its_source() -> None:
    source = KeySource()
    lazy = LazyMaterial(RSA, source)
    assert repr(lazy) == "<LazyMaterial RSA_2048>"
    private = lazy.get().private_bytes()
    assert lazy.get().private_bytes() == private
    assert source.generate(RSA).private_bytes() != private
    source.close()


SEEDED = [AES, P256, KEY_SPECS["ECC_NIST_EDWARDS25519"], KEY_SPECS["ML_KEM_768"], KEY_SPECS["HMAC_256"]]


def seeded_materials(order: list[int]) -> list[bytes]:
    source = KeySource(random.Random(7).randbytes)
    cells = [LazyMaterial(spec, source) for spec in SEEDED]
    made = {index: cells[index].get().private_bytes() for index in order}
    return [made[index] for index in range(len(SEEDED))]


def test_seeded_material_does_not_depend_on_the_order_of_use() -> None:
    forwards = seeded_materials(list(range(len(SEEDED))))
    assert seeded_materials(list(reversed(range(len(SEEDED))))) == forwards
    assert len(set(forwards)) == len(forwards)


def test_seeded_rsa_material_is_a_function_of_the_seed() -> None:
    # 1024 bits for speed; what is fit for the spec is decided elsewhere.
    spec = KEY_SPECS["RSA_2048"]
    small = type(spec)(spec.name, spec.family, spec.usages, bits=1024)
    keys = [LazyMaterial(small, KeySource(random.Random(seed).randbytes)).get().private_bytes() for seed in (1, 1, 2)]
    assert keys[0] == keys[1] != keys[2]


def test_expanded_bytes_are_a_function_of_seed_and_calls() -> None:
    def stream(seed: bytes) -> Iterator[bytes]:
        next_bytes = expand(seed)
        return iter([next_bytes(16), next_bytes(16), next_bytes(40)])

    first = list(stream(b"a"))
    assert first == list(stream(b"a"))
    assert first != list(stream(b"b"))
    assert len({*first}) == 3
    assert [len(part) for part in first] == [16, 16, 40]


def test_a_hundred_thousand_unused_keys_need_little_memory() -> None:
    source = KeySource()
    gc.collect()
    tracemalloc.start()
    try:
        cells = [LazyMaterial(RSA, source) for _ in range(1000)]
        each = tracemalloc.get_traced_memory()[0] / len(cells)
    finally:
        tracemalloc.stop()
    assert each < 300
    assert sys.getsizeof(cells[0]) < 100
