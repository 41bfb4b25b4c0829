import hmac
import random

from personalization.keyed_hash import KeyedHash


def test_it_is_the_hmac_of_the_standard_library() -> None:
    draw = random.Random(1)
    for length in (0, 1, 32, 63, 64, 65, 200):
        key, message = draw.randbytes(length), draw.randbytes(3 * length)
        hashed = KeyedHash(key)
        assert hashed.digest(message) == hashed.digest(message) == hmac.digest(key, message, "sha256")


def test_it_is_the_second_vector_of_rfc_4231() -> None:
    found = KeyedHash(b"Jefe").digest(b"what do ya want for nothing?")
    assert found.hex() == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
