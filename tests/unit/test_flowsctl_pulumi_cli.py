"""Which Pulumi command is taken, with real executables in temporary folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowsctl import pulumi_cli
from flowsctl.errors import FlowsError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it but what a test puts into `bin`, and an empty cache."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(pulumi_cli, "RELEASES", "http://127.0.0.1:9/nothing-listens-here")
    return tmp_path


def command(path: Path, says: str, code: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    path.chmod(0o755)


def cached(machine: Path) -> Path:
    return machine / "cache" / "flows" / "pulumi" / pulumi_cli.pinned_version(ROOT) / "pulumi"


def test_one_on_path_wins_if_new_enough(machine: Path) -> None:
    command(cached(machine), "v3.259.0")
    command(machine / "bin" / "pulumi", "v3.300.1")
    found = pulumi_cli.resolve(ROOT, print)
    assert (found.path, found.version) == (machine / "bin" / "pulumi", "3.300.1")


@pytest.mark.parametrize(("says", "code"), [("v3.100.0", 0), ("v3.300.0", 1), ("no version", 0), ("", 0)])
def test_old_or_broken_one_on_path_is_passed_over(machine: Path, says: str, code: int) -> None:
    command(cached(machine), "v3.259.0")
    command(machine / "bin" / "pulumi", says, code)
    assert pulumi_cli.resolve(ROOT, print).path == cached(machine)


def test_nothing_anywhere_says_what_to_install(machine: Path) -> None:
    assert pulumi_cli.find(ROOT) is None
    with pytest.raises(FlowsError) as caught:
        pulumi_cli.resolve(ROOT, print)
    assert "Go" in caught.value.hint
    assert not list((machine / "cache").rglob("*.partial")), "a failed attempt leaves nothing half-made"


def test_a_build_goes_into_the_cache_in_one_step(machine: Path) -> None:
    version = pulumi_cli.pinned_version(ROOT)
    go = machine / "bin" / "go"
    # Stands in for the compiler, which takes minutes: writes to the path after -o, as go build does.
    go.write_text(
        '#!/bin/sh\nwhile [ "$1" != "-o" ]; do shift; done\n'
        f'printf "#!/bin/sh\\necho v{version}\\n" > "$2"\n/bin/chmod +x "$2"\n'
    )
    go.chmod(0o755)
    said: list[str] = []
    found = pulumi_cli.resolve(ROOT, said.append)
    assert found.path == cached(machine)
    assert any("building" in line for line in said)
    go.unlink()
    assert pulumi_cli.resolve(ROOT, said.append) == found


def test_a_failed_build_tells_the_compilers_words(machine: Path) -> None:
    go = machine / "bin" / "go"
    go.write_text("#!/bin/sh\necho 'go: module lookup disabled' >&2\nexit 1\n")
    go.chmod(0o755)
    with pytest.raises(FlowsError, match="module lookup disabled"):
        pulumi_cli.resolve(ROOT, lambda _text: None)


def test_versions() -> None:
    assert pulumi_cli.version_tuple("3.259.0-alpha.1+dirty") == (3, 259, 0)
    assert pulumi_cli.version_tuple(pulumi_cli.pinned_version(ROOT)) >= pulumi_cli.MINIMUM
