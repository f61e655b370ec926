"""Settings come from the environment alone, and a wrong value names the variable, the value and what is allowed."""

from pathlib import Path

import pytest

from chorale.setting_values import SettingError
from chorale.settings import Settings

CLUSTER = {
    "CHORALE_CHAIN_URL": "https://api.devnet.solana.com",
    "CHORALE_PROGRAM_ID": "11111111111111111111111111111111",
}


def test_defaults_are_the_embedded_house() -> None:
    """An empty environment serves on loopback with everything embedded."""
    settings = Settings.from_env({"PATH": "/bin"})
    assert (settings.host, settings.port, settings.chain_rpc_port) == ("127.0.0.1", 8000, 8899)
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.embedded_chain
    assert settings.demo
    assert settings.data == Path(".chorale")


@pytest.mark.parametrize(
    ("variable", "value", "allowed"),
    [
        ("CHORALE_HOST", "http://x", "a host name"),
        ("CHORALE_HOST", "localhost:80", "without a port"),
        ("CHORALE_PORT", "eighty", "0 to 65535"),
        ("CHORALE_PORT", "65536", "0 to 65535"),
        ("CHORALE_PORT", "-1", "0 to 65535"),
        ("CHORALE_PORT", "٣", "0 to 65535"),
        ("CHORALE_PUBLIC_URL", "example.org", "http://"),
        ("CHORALE_PUBLIC_URL", "http://[::1", "http://"),
        ("CHORALE_PUBLIC_URL", "http://host:99999", "http://"),
        ("CHORALE_DATA", "/dev/null", "a folder"),
        ("CHORALE_CHAIN_URL", "solana", "localnet:"),
        ("CHORALE_CHAIN_URL", "localnet", "localnet:"),
        ("CHORALE_CHAIN_WS_URL", "http://host:8900", "ws://"),
        ("CHORALE_CHAIN_RPC_PORT", "65535", "0 to 65534"),
        ("CHORALE_PROGRAM_ID", "0OIl", "base58"),
        ("CHORALE_PROGRAM_ID", "1111", "base58"),
        ("CHORALE_PROGRAM_ID", "1" * 33, "base58"),
        ("CHORALE_CONTENT_URL", "qdrant:6333", "file:"),
        ("CHORALE_CACHE_URL", "http://redis", "memory:"),
        ("CHORALE_EVENTS_URL", "redis://host", "memory:"),
        ("CHORALE_DEMO", "yes", "1 or 0"),
        ("CHORALE_PROT", "8000", "no such variable"),
    ],
)
def test_wrong_value_is_refused_with_the_cure(variable: str, value: str, allowed: str) -> None:
    """The error names the variable, the value as given, and what is allowed."""
    with pytest.raises(SettingError) as caught:
        Settings.from_env({variable: value})
    text = str(caught.value)
    assert variable in text
    assert repr(value) in text
    assert allowed in text
    assert "\n" not in text


@pytest.mark.parametrize("variable", ["CHORALE_CACHE_URL", "CHORALE_CONTENT_URL", "CHORALE_CHAIN_URL", "CHORALE_CACHE"])
def test_a_refused_address_keeps_its_password(variable: str) -> None:
    """Of an address with credentials only what follows them is repeated: errors end up in logs."""
    with pytest.raises(SettingError) as caught:
        Settings.from_env({variable: "amqp://user:p@ss:word@host/1"})
    assert "word" not in str(caught.value)
    assert "@host/1" in str(caught.value)


def test_cluster_needs_a_program_and_localnet_brings_its_own() -> None:
    """A cluster without a program id, and a program id or a socket address without a cluster, are refused."""
    assert not Settings.from_env(CLUSTER).embedded_chain
    with pytest.raises(SettingError, match="CHORALE_PROGRAM_ID"):
        Settings.from_env({"CHORALE_CHAIN_URL": CLUSTER["CHORALE_CHAIN_URL"]})
    with pytest.raises(SettingError, match="CHORALE_PROGRAM_ID"):
        Settings.from_env({"CHORALE_PROGRAM_ID": CLUSTER["CHORALE_PROGRAM_ID"]})
    with pytest.raises(SettingError, match="CHORALE_CHAIN_WS_URL"):
        Settings.from_env({"CHORALE_CHAIN_WS_URL": "ws://127.0.0.1:8900"})


def test_empty_and_padded_values_mean_the_default_and_the_value() -> None:
    """What compose files produce for unset variables is the default."""
    settings = Settings.from_env({"CHORALE_PORT": "", "CHORALE_HOST": " localhost ", "CHORALE_DEMO": "0"})
    assert (settings.port, settings.host, settings.demo) == (8000, "localhost", False)


def test_public_address_follows_the_port_unless_it_was_set() -> None:
    """A free port that the system chose shows in the address and in the domain that wallets sign in to."""
    chosen = Settings.from_env({"CHORALE_PORT": "0", "CHORALE_HOST": "0.0.0.0"}).with_port(4321)
    assert (chosen.public_url, chosen.domain) == ("http://127.0.0.1:4321", "127.0.0.1:4321")
    fixed = Settings.from_env({"CHORALE_PORT": "0", "CHORALE_PUBLIC_URL": "https://chorale.example/"}).with_port(4321)
    assert (fixed.public_url, fixed.domain) == ("https://chorale.example", "chorale.example")
    assert Settings.from_env({"CHORALE_HOST": "::1"}).public_url == "http://[::1]:8000"
