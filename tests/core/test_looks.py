"""Look-alike names share a bucket of the index, whatever their case."""

from itertools import product

from core.looks import bucket, pass_for_each_other


def test_names_that_pass_for_each_other_share_a_bucket():
    words = ["".join(letters) for size in (1, 2) for letters in product("iIlL1|oO0mMrnN", repeat=size)]
    apart = [
        (one, other)
        for one, other in product(words, repeat=2)
        if bucket(one) != bucket(other) and pass_for_each_other(one, other)
    ]
    assert apart == []
    assert bucket("Modem") == bucket("MODERN".lower())
    assert bucket("іris") == bucket("IRIS")


def test_a_bucket_is_coarser_than_the_eye():
    assert bucket("mail") == bucket("mall")
    assert not pass_for_each_other("mail", "mall")
