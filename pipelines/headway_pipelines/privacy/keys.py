"""The pseudonymisation key: made once, kept outside the workspace, never shown.

The key turns identifiers into lookup hashes. Whoever has the key and a list of identifiers can recognise people in
the vault, so the key never enters the workspace, SQL, logs, Dagster or an error message.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path

import platformdirs
import polars as pl
import polars_hash as plh  # noqa: F401  (registers the expression namespace)

from headway.errors import InputError
from headway_pipelines.workspace import Workspace

KEY_BYTES = 32
_SEPARATOR = "\x1f"


class Key:
    """A secret of at least 32 random bytes that can be used but not read.

    Args:
        secret: The key's bytes.
        older: Keys that were in use before, the newest first: what was stored under them is still recognised.

    Raises:
        InputError: The secret is too short or visibly not random.

    Examples:
        >>> key = Key(bytes(range(32)))
        >>> key
        Key(id='dcb26f83', secret hidden)
    """

    __slots__ = ("_older", "_secret")

    def __init__(self, secret: bytes, older: Sequence[Key] = ()) -> None:
        if len(secret) < KEY_BYTES or len(set(secret)) < 16:
            raise InputError(
                f"the key is too weak: it needs {KEY_BYTES} random bytes or more ({2 * KEY_BYTES} hexadecimal digits). "
                "Make one with: python -c 'import secrets; print(secrets.token_hex(32))'"
            )
        # polars-hash takes the key as text; the hexadecimal form carries the same entropy.
        self._secret = secret.hex()
        self._older = tuple(older)

    def __repr__(self) -> str:
        return f"Key(id={self.id!r}, secret hidden)"

    def __reduce__(self) -> str:
        raise InputError("a key cannot be pickled: it must stay in this process")

    @property
    def id(self) -> str:
        """Eight hexadecimal digits that tell keys apart and reveal nothing."""
        return self.digest("key-id", "")[:8]

    @property
    def ring(self) -> tuple[Key, ...]:
        """Every live key: this one, then the older ones."""
        return (self, *self._older)

    def digest(self, domain: str, text: str) -> str:
        """Hashes one text under a domain.

        Args:
            domain: What kind of thing the text names; hashes of different domains cannot be compared.
            text: The text.

        Returns:
            The first 32 hexadecimal digits (128 bits) of HMAC-SHA-256 (RFC 2104).
        """
        message = f"{domain}{_SEPARATOR}{text}".encode()
        return hmac.new(self._secret.encode(), message, hashlib.sha256).hexdigest()[:32]

    def digests(self, domain: pl.Expr, text: pl.Expr) -> pl.Expr:
        """Hashes columns; equal to `digest` row by row.

        Args:
            domain: Column of domains.
            text: Column of texts; null stays null.

        Returns:
            A column of 32 hexadecimal digits.
        """
        message = pl.concat_str([domain, pl.lit(_SEPARATOR), text])
        # polars-hash registers the namespace "chash" on every expression when it is imported.
        hashed: pl.Expr = message.chash.hmac_sha256(key=self._secret)  # type: ignore[attr-defined]
        return hashed.str.slice(0, 32)


def key_file(workspace: Workspace) -> Path:
    """Where the key of a workspace is expected.

    Args:
        workspace: The workspace.

    Returns:
        The file named by ``HEADWAY_KEY_FILE``, else one in the user's configuration folder.
    """
    given = os.environ.get("HEADWAY_KEY_FILE")
    if given:
        return Path(given).expanduser().absolute()
    return platformdirs.user_config_path("headway") / "keys" / f"{workspace.id}.key"


def load_key(workspace: Workspace, *, create: bool | None = None) -> Key:
    """Reads the workspace's key; on the first run makes one, readable by its owner alone.

    Args:
        workspace: The workspace.
        create: Whether a missing key may be made. None makes one only while no id was ever stored under another.

    Returns:
        The key.

    Raises:
        InputError: The key is missing, weak, readable by others or kept inside the workspace.
    """
    path = key_file(workspace)
    if path.is_relative_to(workspace.root) or path.resolve().is_relative_to(workspace.root.resolve()):
        raise InputError(f"the key must be kept outside the workspace, not at {path}. Set HEADWAY_KEY_FILE.")
    if not path.exists():
        if not (create if create is not None else not (workspace.state / "vault").exists()):
            raise InputError(
                f"the key of this workspace is missing: {path}. Restore it from a backup or set HEADWAY_KEY_FILE. "
                "Without it no stored id can be recognised again. To start over with new ids, delete state/ and "
                "warehouse/."
            )
        _make(path)
    if os.name != "nt" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise InputError(f"the key file {path} can be read by others. Run: chmod 600 {path}")
    try:
        # split() first: bytes.fromhex would read two lines as one long key
        secrets_ = [bytes.fromhex(line) for line in path.read_text(encoding="ascii").split()]
    except ValueError:
        secrets_ = []
    if not secrets_:
        raise InputError(
            f"the key file {path} must hold hexadecimal digits only, one key a line, the newest first"
        )
    return Key(secrets_[0], [Key(secret) for secret in secrets_[1:]])


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as handle:
        handle.write(secrets.token_hex(KEY_BYTES) + "\n")
        handle.flush()
        os.fsync(handle.fileno())
