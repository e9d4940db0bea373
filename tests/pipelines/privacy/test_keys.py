"""The key: equal to a reference everywhere, refused when it is weak or exposed, never to be seen."""

from __future__ import annotations

import hashlib
import hmac
import os
import pickle
import secrets
import stat
import traceback
from pathlib import Path

import polars as pl
import pytest

from headway.errors import InputError
from headway_pipelines.privacy.keys import Key, key_file, load_key
from headway_pipelines.workspace import Workspace

SECRET = bytes(range(32))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "shop").mkdir()
    return Workspace(tmp_path / "shop")


def reference(secret: bytes, domain: str, text: str) -> str:
    """RFC 2104 by the standard library, over the secret's hexadecimal form."""
    message = domain.encode() + b"\x1f" + text.encode()
    return hmac.new(secret.hex().encode(), message, hashlib.sha256).hexdigest()[:32]


def test_digests_are_hmac_sha_256() -> None:
    key = Key(SECRET)
    texts = ["", "u1", "zoë@example.com", "日本語", "a" * 5000, "\x1f", "tab\tand\nnewline"]
    frame = pl.DataFrame({"domain": ["user"] * len(texts), "text": texts})
    columns = frame.select(d=key.digests(pl.col("domain"), pl.col("text")))["d"].to_list()
    assert columns == [reference(SECRET, "user", t) for t in texts] == [key.digest("user", t) for t in texts]


def test_nothing_stays_nothing() -> None:
    frame = pl.DataFrame({"domain": ["user", "user"], "text": ["u1", None]})
    digests = frame.select(d=Key(SECRET).digests(pl.col("domain"), pl.col("text")))["d"]
    assert digests.is_null().to_list() == [False, True]


def test_domains_and_keys_cannot_be_compared() -> None:
    key, other = Key(SECRET), Key(secrets.token_bytes(32))
    assert len({key.digest("user", "1"), key.digest("device", "1"), other.digest("user", "1")}) == 3
    # the domain ends where it ends: another split of the same letters is another text
    assert key.digest("user", "s1") != key.digest("users", "1")
    assert key.id != other.id


@pytest.mark.parametrize(
    "secret",
    [b"", SECRET[:31], bytes(32), b"password" * 8, b"ab" * 32],
)
def test_weak_secrets_are_refused(secret: bytes) -> None:
    with pytest.raises(InputError, match="too weak"):
        Key(secret)


def test_the_secret_is_never_shown() -> None:
    key = Key(SECRET)
    shown = [repr(key), str(key), f"{key}", repr([key]), repr(key.digests(pl.lit("d"), pl.lit("t")))[:0]]
    try:
        raise ValueError(key)
    except ValueError:
        shown.append(traceback.format_exc())
    assert not [text for text in shown if SECRET.hex() in text]
    assert not hasattr(key, "__dict__")
    with pytest.raises(InputError, match="cannot be pickled"):
        pickle.dumps(key)


def test_a_first_run_makes_a_key_for_its_owner_alone(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config" / "deeper" / "new.key"
    monkeypatch.setenv("HEADWAY_KEY_FILE", str(path))
    before = os.umask(0)
    try:
        key = load_key(workspace)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert len(bytes.fromhex(path.read_text())) == 32
    assert load_key(workspace).id == key.id


def test_keys_of_workspaces_lie_in_the_users_configuration(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HEADWAY_KEY_FILE")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    path = key_file(workspace)
    assert path.name == f"{workspace.id}.key"
    assert not path.is_relative_to(workspace.root)
    assert key_file(workspace) == path  # the workspace's id is made once


def test_a_key_that_is_gone_is_not_replaced(workspace: Workspace, key_outside_the_workspace: Path) -> None:
    (workspace.state / "vault").mkdir(parents=True)
    key_outside_the_workspace.unlink()
    with pytest.raises(InputError, match=r"is missing.*Restore it from a backup"):
        load_key(workspace)
    assert not key_outside_the_workspace.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_key_that_others_can_read_is_refused(
    workspace: Workspace, key_outside_the_workspace: Path, mode: int
) -> None:
    key_outside_the_workspace.chmod(mode)
    with pytest.raises(InputError, match=r"can be read by others\. Run: chmod 600"):
        load_key(workspace)


@pytest.mark.parametrize("content", ["", "no hexadecimal digits", "zz" * 32, "é" * 64, "00" * 31])
def test_a_file_that_holds_no_key_is_refused(
    workspace: Workspace, key_outside_the_workspace: Path, content: str
) -> None:
    key_outside_the_workspace.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        load_key(workspace)
    assert not content or content not in str(refused.value)
    assert refused.value.__context__ is None or refused.value.__suppress_context__


@pytest.mark.parametrize("place", ["shop.key", "state/shop.key", "raw/../shop.key"])
def test_a_key_inside_the_workspace_is_refused(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    path = workspace.root / place
    (workspace.root / "raw").mkdir()
    path.parent.mkdir(exist_ok=True)
    path.write_text(secrets.token_hex(32))
    path.chmod(0o600)
    monkeypatch.setenv("HEADWAY_KEY_FILE", str(path))
    with pytest.raises(InputError, match="outside the workspace"):
        load_key(workspace)


def test_a_link_does_not_bring_the_key_outside(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    inside = workspace.root / "shop.key"
    inside.write_text(secrets.token_hex(32))
    inside.chmod(0o600)
    link = tmp_path / "outside.key"
    link.symlink_to(inside)
    monkeypatch.setenv("HEADWAY_KEY_FILE", str(link))
    with pytest.raises(InputError, match="outside the workspace"):
        load_key(workspace)
