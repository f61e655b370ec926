"""A server that cannot start as configured says why, and what to do, in one line and with exit code 2."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.cli.commands import chorale, refused
from tests.stack import RunningServer


@contextmanager
def taken_port() -> Iterator[str]:
    """A port that another program listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


def test_a_wrong_setting() -> None:
    """The variable, the value, the cure."""
    line = refused("serve", CHORALE_PORT="eighty")
    assert "CHORALE_PORT='eighty'" in line
    assert "0 to 65535" in line


def test_a_port_in_use(tmp_path: Path) -> None:
    """Told before the model, the chain or the store is touched."""
    with taken_port() as port:
        line = refused("serve", data=tmp_path / "data", CHORALE_PORT=port)
    assert port in line
    assert "CHORALE_PORT" in line
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["lock"]


def test_the_chains_port_in_use(tmp_path: Path, models: Path) -> None:
    """The child's own words come through the parent, once."""
    shutil.copytree(models, tmp_path / "data" / "models")
    with taken_port() as port:
        line = refused("serve", data=tmp_path / "data", CHORALE_CHAIN_RPC_PORT=port)
    assert port in line
    assert "CHORALE_CHAIN_RPC_PORT" in line


def test_a_second_server_on_the_data_directory(server: RunningServer) -> None:
    """It learns where the first one is."""
    for command in ("serve", "localnet"):
        line = refused(command, data=server.data)
        assert "CHORALE_DATA" in line
    assert server.url in refused("serve", data=server.data)


def test_a_model_that_was_altered(tmp_path: Path, models: Path) -> None:
    """One byte more in the weights is enough."""
    folder = tmp_path / "data" / "models"
    shutil.copytree(models, folder)
    weights = max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    with weights.open("ab") as file:
        file.write(b"\x00")
    assert str(folder) in refused("serve", data=tmp_path / "data")


def test_a_model_that_is_missing(tmp_path: Path) -> None:
    """A folder that is none is named, with its variable."""
    line = refused("serve", data=tmp_path / "data", CHORALE_EMBEDDING_MODEL=str(tmp_path / "nowhere"))
    assert "nowhere" in line
    assert "CHORALE_EMBEDDING_MODEL" in line


def test_a_platform_without_the_runtime(tmp_path: Path, models: Path) -> None:
    """Where the solders wheel carries no LiteSVM, the alternative is named."""
    shutil.copytree(models, tmp_path / "data" / "models")
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['solders.litesvm'] = None\n")
    for command in ("serve", "localnet"):
        line = refused(command, data=tmp_path / "data", PYTHONPATH=str(tmp_path))
        assert "solders.litesvm" in line
        assert "CHORALE_CHAIN_URL" in line


def test_demo_data_needs_the_embedded_chain(tmp_path: Path) -> None:
    """Elsewhere nobody's wallets can be made."""
    program = "11111111111111111111111111111111"
    line = refused("demo", data=tmp_path, CHORALE_CHAIN_URL="http://127.0.0.1:1", CHORALE_PROGRAM_ID=program)
    assert "CHORALE_CHAIN_URL" in line


def test_a_cluster_that_is_away(tmp_path: Path, models: Path) -> None:
    """An RPC that does not answer is a refusal with its address' variable, not a traceback."""
    shutil.copytree(models, tmp_path / "data" / "models")
    program = "11111111111111111111111111111111"
    line = refused("serve", data=tmp_path / "data", CHORALE_CHAIN_URL="http://127.0.0.1:1", CHORALE_PROGRAM_ID=program)
    assert "CHORALE_CHAIN_URL" in line


def test_help_names_every_command_and_variable() -> None:
    """What one needs to know is one call away."""
    code, out, _ = chorale("--help")
    assert code == 0
    for word in ("serve", "localnet", "demo", "export-schema", "CHORALE_DATA", "CHORALE_EMBEDDING_MODEL"):
        assert word in out
    for arguments in ((), ("dance",), ("demo", "--size", "0"), ("demo", "--size", "many"), ("localnet", "--data", "x")):
        code, _, err = chorale(*arguments)
        assert code == 2
        assert "usage:" in err
