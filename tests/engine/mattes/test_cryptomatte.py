"""Arrays of a Cryptomatte against the specification's own numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from efficienttam.mattes.cryptomatte import Cryptomatte, coverage_of, level_channels, murmur3, object_id


@pytest.mark.parametrize(
    ("name", "number"),
    [("torus", 4053562365), ("равнина", 2518896926), ('name containing a "quote"  ', 0xAF8BFA09)],
)
def test_known_hashes(name, number):
    assert murmur3(name.encode()) == number


@given(st.binary(max_size=40))
def test_hash_is_that_of_the_reference(data):
    mmh3 = pytest.importorskip("mmh3")
    assert murmur3(data) == mmh3.hash(data, signed=False)


@given(st.text(max_size=12))
def test_ids_are_ordinary_floats(name):
    number = np.uint32(object_id(name)).view(np.float32)
    assert np.isfinite(number) and abs(number) >= np.finfo(np.float32).tiny


def test_a_hash_that_is_no_ordinary_float_is_turned(monkeypatch):
    monkeypatch.setattr("efficienttam.mattes.cryptomatte.murmur3", lambda data: 0x7F812345)
    assert object_id("x") == 0x7F012345
    monkeypatch.setattr("efficienttam.mattes.cryptomatte.murmur3", lambda data: 0)
    assert object_id("x") == 0x00800000


def test_levels_are_enough_and_no_more():
    for count in range(1, 9):
        crypto = Cryptomatte("crypto_object", [f"thing{number}" for number in range(count)])
        assert len(crypto.channels) == 4 * ((count + 1) // 2)
        shuffled = ["A", "crypto_object.R", "other00.R", *sorted(crypto.channels)]
        assert level_channels("crypto_object", shuffled) == crypto.channels


def test_key_and_manifest():
    header = Cryptomatte("etam_object", ["hero", "равнина"]).header
    key = f"{murmur3(b'etam_object'):08x}"[:7]
    assert header[f"cryptomatte/{key}/name"] == "etam_object"
    assert (
        header[f"cryptomatte/{key}/manifest"] == f'{{"hero":"{object_id("hero"):08x}","равнина":"9623511e"}}'
    )
    assert len(header) == 4


def test_a_twin_is_refused():
    with pytest.raises(ValueError, match="one id"):
        Cryptomatte("crypto_object", ["hero", "hero"])


@given(arrays.arrays(np.float32, (3, 5, 4), elements=st.floats(0, 1, width=32)))
def test_ranks_are_sorted_shares_and_give_the_mattes_back(mattes):
    names = ["hero", "car", "sky"]
    crypto = Cryptomatte("crypto_object", names)
    channels = crypto.ranks(list(mattes))
    assert channels.dtype == np.float32 and channels.shape == (5, 4, 8)
    shares = channels[..., 1::2]
    assert (np.diff(shares, axis=-1) <= 0).all() and (shares >= 0).all()
    running = np.zeros((5, 4), np.float32)
    for rank in range(4):
        running += shares[..., rank]
    assert (running <= 1).all()
    assert ((channels[..., 0::2] == 0) == (shares == 0)).all()
    total = mattes.sum(axis=0)
    for name, matte in zip(names, mattes, strict=True):
        expected = np.where(total > 1, matte / np.maximum(total, 1), matte)
        np.testing.assert_allclose(coverage_of(name, channels), expected, atol=3e-7)


def test_where_nothing_overlaps_the_mattes_come_back_to_rounding():
    ramp = np.linspace(0, 1, 60, dtype=np.float32).reshape(6, 10)
    channels = Cryptomatte("crypto_object", ["a", "b"]).ranks([ramp, 1 - ramp])
    np.testing.assert_allclose(coverage_of("a", channels), ramp, atol=1e-7)
    np.testing.assert_allclose(coverage_of("b", channels), 1 - ramp, atol=1e-7)
    assert coverage_of("nobody", channels).max() == 0
