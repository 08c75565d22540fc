"""The one sentence that is left of a Pulumi command's output."""

import pytest

from flowsctl.failures import last_error


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("\n code: -9\n stdout: \n stderr: \n", "the Pulumi command ended without a message, as when it is killed"),
        ("code: 255\nstdout:\nstderr: error: no stack named dev", "no stack named dev"),
        ("something odd", "something odd"),
    ],
)
def test_headings_are_not_messages(output: str, sentence: str) -> None:
    assert last_error(output) == sentence
