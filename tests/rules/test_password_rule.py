import pytest

from mfaportal.rules.password_rule import MAX_LENGTH, MIN_LENGTH, PasswordRefusal, context_words, length_refusal


def test_the_lengths_are_those_of_the_design() -> None:
    assert (MIN_LENGTH, MAX_LENGTH) == (12, 256)


@pytest.mark.parametrize(
    ("password", "refusal"),
    [
        ("", PasswordRefusal.TOO_SHORT),
        ("x" * 11, PasswordRefusal.TOO_SHORT),
        ("x" * 12, None),
        ("x" * 256, None),
        ("x" * 257, PasswordRefusal.TOO_LONG),
        ("x" * 1_000_000, PasswordRefusal.TOO_LONG),
        ("aaaaaaaaaaaa", None),
        ("            ", None),
        ("🐎" * 12, None),
        ("🐎" * 11, PasswordRefusal.TOO_SHORT),
        ("\u0315\u0300" * 128, None),
    ],
)
def test_the_length_alone_counts_in_code_points(password: str, refusal: PasswordRefusal | None) -> None:
    assert length_refusal(password) is refusal


def test_the_words_around_somebody_are_not_their_password() -> None:
    words = context_words("City Data", "zoe.miller@example.org")
    assert {"mfaportal", "city data", "citydata", "city", "data"} <= set(words)
    assert {"zoe.miller@example.org", "zoemillerexampleorg", "miller", "example"} <= set(words)
    assert "zoe" not in words
    assert list(words) == sorted(set(words))


def test_a_long_text_adds_few_words() -> None:
    assert len(context_words("word " * 100_000)) < 50
    assert max(map(len, context_words("x" * 100_000))) == 200
