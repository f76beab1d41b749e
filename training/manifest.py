"""What a model directory says about itself, and the hash that seals it. Its files are checked elsewhere.

``version`` is given by the registry after the model was sealed, so it alone stands outside the hash.
"""

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime

import msgspec

from features.errors import InputError
from training.strict_json import write_json

MODEL_NAME = "lead-conversion"
SCHEMA = "leadpact-model/1"
EVIDENCES = ("model", "scorecard", "rules")
SPLITS = ("forward", "order", "stratified")
MAX_HORIZON_DAYS = 3650
_SCHEMA_KEY = "schema"
_SEAL = "manifest_hash"
_TIME_OR_NULL = "must be null or an ISO-8601 time"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_VERSION = re.compile(r"[A-Za-z0-9._-]{0,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCardFacts:
    """What the trainer knows about a model when it writes the directory.

    ``trained_from``, ``trained_until`` and ``created_at`` are ISO-8601 text (None without times);
    ``metrics`` are (name, value) pairs with finite values and different names, kept in order of name.
    """

    horizon_days: int
    created_at: str
    crm_name: str
    data_hash: str
    split: str
    metrics: tuple[tuple[str, float], ...] = ()
    trained_from: str | None = None
    trained_until: str | None = None
    name: str = MODEL_NAME
    evidence: str = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestProblem:
    """One rule that manifest.json breaks."""

    key: str
    rule: str
    value: object

    def text(self) -> str:
        """Return one line naming key, rule and value."""
        return f"manifest.json, {self.key}: {self.rule}; got {str(self.value)[:80]!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """``manifest.json``: the facts, the version (empty until registered) and a SHA-256 of every file."""

    name: str
    version: str
    horizon_days: int
    feature_set_hash: str
    trained_from: str | None
    trained_until: str | None
    evidence: str
    metrics: tuple[tuple[str, float], ...]
    split: str
    created_at: str
    crm_name: str
    data_hash: str
    files: tuple[tuple[str, str], ...]
    golden_rows: int

    def __post_init__(self) -> None:
        problems = tuple(_broken_rules(self))
        if problems:
            raise InputError(problems[0].text(), problems)

    @property
    def manifest_hash(self) -> str:
        """SHA-256 of everything but the version: the identity of the model, registered or not."""
        plain = self._plain()
        del plain["version"]
        return hashlib.sha256(write_json(plain)).hexdigest()

    def to_dict(self) -> dict[str, object]:
        """Return plain JSON values, the seal included."""
        return {**self._plain(), _SEAL: self.manifest_hash}

    @classmethod
    def from_dict(cls, plain: Mapping[str, object]) -> "Manifest":
        """Read what :meth:`to_dict` wrote; InputError names what is wrong, a broken seal included."""
        expected = {field.name for field in fields(cls)} | {_SCHEMA_KEY, _SEAL}
        if set(plain) != expected or plain[_SCHEMA_KEY] != SCHEMA:
            odd = sorted(set(plain) ^ expected) or plain[_SCHEMA_KEY]
            raise InputError(f"manifest.json: must hold exactly the keys of schema {SCHEMA!r}; check {odd}")
        values = {key: _pairs(value) for key, value in plain.items() if key not in (_SCHEMA_KEY, _SEAL)}
        try:
            manifest = msgspec.convert(values, cls)
        except msgspec.ValidationError as error:
            raise InputError(f"manifest.json: {error}") from error
        if manifest.to_dict() != plain:
            rule = f"{_SEAL} of this content must be {manifest.manifest_hash}"
            raise InputError(f"manifest.json: {rule}; got {plain[_SEAL]!r}")
        return manifest

    def _plain(self) -> dict[str, object]:
        plain: dict[str, object] = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**plain, _SCHEMA_KEY: SCHEMA, "metrics": dict(self.metrics), "files": dict(self.files)}


def seal(
    facts: ModelCardFacts, *, feature_set_hash: str, files: Mapping[str, bytes], golden_rows: int
) -> Manifest:
    """Return the manifest of files that are about to be written; unregistered, so without a version."""
    known = {field.name: getattr(facts, field.name) for field in fields(facts)}
    return Manifest(
        **{**known, "metrics": tuple(sorted(facts.metrics))},
        version="",
        feature_set_hash=feature_set_hash,
        files=tuple(sorted((name, hashlib.sha256(data).hexdigest()) for name, data in files.items())),
        golden_rows=golden_rows,
    )


def _pairs(value: object) -> object:
    return sorted(value.items()) if isinstance(value, dict) else value


def _broken_rules(manifest: Manifest) -> Iterator[ManifestProblem]:
    """Yield every rule that a value breaks; the rules are this table."""
    hashes = (manifest.feature_set_hash, *(digest for _, digest in manifest.files))
    names = [name for name, _ in manifest.metrics]
    rules: tuple[tuple[str, bool, str], ...] = (
        ("name", _NAME.fullmatch(manifest.name) is not None, f"must match {_NAME.pattern}"),
        ("version", _VERSION.fullmatch(manifest.version) is not None, f"must match {_VERSION.pattern}"),
        ("horizon_days", 1 <= manifest.horizon_days <= MAX_HORIZON_DAYS, f"must be 1 to {MAX_HORIZON_DAYS}"),
        ("evidence", manifest.evidence in EVIDENCES, f"must be one of {EVIDENCES}"),
        ("split", manifest.split in SPLITS, f"must be one of {SPLITS}"),
        ("created_at", _is_time(manifest.created_at), "must be an ISO-8601 time"),
        ("trained_from", manifest.trained_from is None or _is_time(manifest.trained_from), _TIME_OR_NULL),
        ("trained_until", manifest.trained_until is None or _is_time(manifest.trained_until), _TIME_OR_NULL),
        ("metrics", names == sorted(set(names)), "must have different names in ascending order"),
        ("metrics", all(math.isfinite(value) for _, value in manifest.metrics), "must be finite"),
        ("files", all(map(_SHA256.fullmatch, hashes)), "every hash must be 64 hexadecimal digits"),
        ("golden_rows", manifest.golden_rows >= 1, "must be at least 1"),
    )
    for key, holds, rule in rules:
        if not holds:
            yield ManifestProblem(key=key, rule=rule, value=getattr(manifest, key))


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
