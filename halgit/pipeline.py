"""The values that travel through halgit, one frozen type per stage.

    Snapshot  ->  Layer  ->  Merged  ->  Compiled  ->  Resolved  ->  bytes on disk
    sources       settings    merge       parameters    secrets       publish

Stages in the wrong order do not type-check. This module performs no I/O and imports only `redaction` and `errors`.

A node of a YAML document is a dict (keys are `str` or `PlainScalar`), list, str, int, float, bool, None or bytes; after
parameters are substituted also a `Secret` or `SecretText`. Nodes are shared between stages and never changed in place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum

from halgit.annotations import Any, Final, Literal, Protocol, TypeAlias
from halgit.record import Record
from halgit.redaction import SecretText

Step: TypeAlias = str | int
Path: TypeAlias = tuple[Step, ...]
"""The path of a value in a document: mapping keys as strings, list positions from 0."""

Value: TypeAlias = Any
"""A node of a document; see the module's docstring for what it can be."""


class EmptyMapping(Mapping[Any, Any]):
    """The mapping that holds nothing; hashable, so that a frozen type can have it as a default."""

    def __getitem__(self, key: Any) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __hash__(self) -> int:
        return 0


EMPTY: Final[Mapping[Any, Any]] = EmptyMapping()


class PlainScalar(str):
    """A scalar that keeps its meaning only without quotes: a date, or a key that is not a string."""

    __slots__ = ()


class UnquotedScalar(str):
    """An unquoted string with `${{`: a parameter that is the whole value keeps its type."""

    __slots__ = ()


class AbsentType:
    """The type of MISSING, which means that there is no value (None is a value)."""

    _only: AbsentType | None = None

    def __new__(cls) -> AbsentType:
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Final = AbsentType()


# --- sources ---------------------------------------------------------------------------------------------------


class SourceId(Record):
    """One source as it was read. `url` never holds a credential. `revision` is a commit or a digest."""

    url: str
    revision: str = ""
    ref: str = ""
    path: str = ""


class Snapshot(Protocol):
    """One source at one revision (`GitSnapshot` has more). Paths are POSIX, relative to the source's root."""

    @property
    def source(self) -> SourceId: ...

    @property
    def paths(self) -> frozenset[str]:
        """All files except `.git`. A link counts as its target."""

    def read(self, paths: Iterable[str]) -> dict[str, bytes]:
        """The contents of these files, in as few requests as the source can.

        Raises RemoteError for a file that is too large, changed meanwhile, or a link that leaves the root.
        """

    def close(self) -> None:
        """Release the work directory or connection of the snapshot."""


# --- settings --------------------------------------------------------------------------------------------------


class Severity(IntEnum):
    """The severity of a finding, ordered."""

    INFO = 1
    WARNING = 2
    ERROR = 3

    def __str__(self) -> str:
        return self.name.lower()


ParameterType = Literal["string", "integer", "number", "boolean", "list", "enum"]
SecretsMode = Literal["resolve", "native", "mask", "keep"]
Dialect = Literal["halgit", "opsmx"]
Variant = Literal["token", "ssh", "s3"]


class Declaration(Record):
    """One entry of `params` in a `halgit.yaml`: a plain value (`declares` false) or a declaration."""

    name: str
    file: str
    path: Path
    declares: bool = False
    value: Value = MISSING
    type: ParameterType | None = None
    required: bool = False
    secret: bool = False
    reference: bool = False
    pattern: str = ""
    enum: tuple[Value, ...] = ()
    description: str = ""


class Patch(Record):
    """RFC 6902 operations on one file of the tree. `path` is the place of the patch in its `halgit.yaml`.

    An `optional` patch may match nothing.
    """

    target: str
    ops: tuple[Mapping[str, Value], ...]
    path: Path
    optional: bool = False


class RuleSettings(Record):
    """The repository's rule settings: rule ids to ignore, and severities to override."""

    ignore: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = EMPTY


class LayerSettings(Record):
    """A layer's `halgit.yaml`. `file` is its path in the source, empty where there is none; `text` its bytes.

    `optional` are the paths of `remove` that no lower layer needs to have.
    """

    file: str = ""
    text: bytes = b""
    bases: tuple[str, ...] = ()
    params: Mapping[str, Declaration] = EMPTY
    remove: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()
    patches: tuple[Patch, ...] = ()
    merge_keys: Mapping[str, Mapping[str, str]] = EMPTY
    include: tuple[str, ...] = ()
    deployment: str | None = None
    dialect: Dialect | None = None
    variant: Variant | None = None
    rules: RuleSettings = RuleSettings()


# --- layers ----------------------------------------------------------------------------------------------------


class LayerId(Record):
    """Identity of a layer in messages: `name` is its folder (`overlays/prod`, `.` for the root)."""

    name: str
    source: SourceId
    folder: str = ""

    def file(self, path: str) -> str:
        """A file of the layer as its path in the source, which is how messages name it."""
        return f"{self.folder}/{path}" if self.folder else path


class Layer(Record):
    """A directory of a source. `paths` are all its files, relative to it; `files` those read so far."""

    id: LayerId
    paths: frozenset[str]
    files: Mapping[str, bytes]
    settings: LayerSettings = LayerSettings()


class Origin(Record):
    """Origin of a value: a path in a file of a layer. Line and column are looked up only when shown.

    `how` is empty for a value that simply stands there; else what put it there (`patch`, `parameter NAME`,
    `default of NAME`, `--set NAME`).
    """

    layer: LayerId
    file: str
    path: Path
    how: str = ""


class Trace(Record):
    """The origins of a document, as a sparse tree: a node not listed has its parent's origin, one step deeper.

    `overridden` are the origins this node overrode, the latest first. `children` holds only what differs.
    """

    origin: Origin
    overridden: tuple[Origin, ...] = ()
    children: Mapping[Step, Trace] = EMPTY

    def at(self, path: Path) -> Trace:
        """The trace of one node; made up from the nearest one recorded above it where none is."""
        here = self
        for depth, step in enumerate(path):
            below = here.children.get(step)
            if below is None:
                rest = path[depth:]
                origin = here.origin
                deeper = Origin(origin.layer, origin.file, origin.path + rest, origin.how)
                overridden = tuple(Origin(o.layer, o.file, o.path + rest, o.how) for o in here.overridden)
                return Trace(deeper, overridden)
            here = below
        return here


How = Literal["copied", "merged", "generated"]


class File(Record):
    """One file on its way to the tree.

    `data` is a YAML document's value (MISSING where the file is none, or holds several documents).
    `body`, where there is one, is written as it stands, with the scalars in `splices` replaced in place;
    without a body `data` is written out. A text file with secrets in it has a `SecretText` body.
    `body` None and `data` MISSING means: not read yet, it is in `winner`'s layer under `path`.
    """

    path: str
    how: How
    layers: tuple[LayerId, ...]
    data: Value = MISSING
    body: bytes | SecretText | None = None
    splices: Mapping[Path, Value] = EMPTY
    trace: Trace | None = None

    @property
    def winner(self) -> LayerId:
        """The highest layer that has the file."""
        return self.layers[-1]


class Merged(Record):
    """Layers merged, parameters not yet replaced."""

    files: Mapping[str, File]
    layers: tuple[Layer, ...]
    findings: tuple[Finding, ...] = ()


class Parameter(Record):
    """One parameter with its value and where that came from (`origin` None: an option or the environment).

    `is_wrong`: the value does not fit the declaration, which is reported. `uses` are the parameters in its value.
    """

    name: str
    value: Value
    secret: bool
    set_by: str
    used: bool
    origin: Origin | None = None
    is_wrong: bool = False
    uses: tuple[str, ...] = ()


class Skipped(Record):
    """A file of a layer that is not part of the rendered tree, and why."""

    path: str
    reason: str


class Compiled(Record):
    """The configuration as one: layers merged, parameters replaced, references still standing.

    `accounts` are the files of dynamic accounts by path, `linked` those that are links, `served` files they name with
    `configserver:`; none is part of the tree. `mounted` is mounted into Halyard's pod by the operator. `encrypted` are
    SOPS files by their `sops://` names, `unfetched` files of a skipped submodule that the halconfig names.
    """

    files: Mapping[str, File]
    deployment: str
    layers: tuple[Layer, ...]
    parameters: Mapping[str, Parameter] = EMPTY
    skipped: tuple[Skipped, ...] = ()
    findings: tuple[Finding, ...] = ()
    overlay: str = ""
    hal_home: str = "/home/spinnaker/.hal"
    mounted: tuple[str, ...] = ()
    dialect: Dialect = "halgit"
    rules: RuleSettings = RuleSettings()
    accounts: Mapping[str, bytes] = EMPTY
    linked: frozenset[str] = frozenset()
    encrypted: Mapping[str, bytes] = EMPTY
    unfetched: frozenset[str] = frozenset()
    served: Mapping[str, bytes] = EMPTY

    @property
    def sources(self) -> tuple[SourceId, ...]:
        """The sources, each once, in the order they were given."""
        return tuple(dict.fromkeys(layer.id.source for layer in self.layers))


class Resolved(Record):
    """A tree ready to be written: every reference that is to be replaced is a `Secret` or `SecretText` now.

    `findings` are about the values of secrets, and name no value."""

    files: Mapping[str, File]
    compiled: Compiled
    masked: bool = False
    versions: Mapping[str, str] = EMPTY
    findings: tuple[Finding, ...] = ()


# --- references ------------------------------------------------------------------------------------------------

ReferenceDialect = Literal["spinnaker", "armory", "operator", "opsmx", "halgit"]


class Reference(Record):
    """A secret that is named, not held. `text` is how it was written, `fields` what its engine reads it by."""

    engine: str
    dialect: ReferenceDialect
    fields: tuple[tuple[str, str], ...]
    text: str
    file: bool = False

    def get(self, name: str, default: str = "") -> str:
        """One field of the reference."""
        return dict(self.fields).get(name, default)

    def has(self, name: str) -> bool:
        """Return whether the reference has this field, perhaps empty."""
        return any(key == name for key, _ in self.fields)


# --- findings --------------------------------------------------------------------------------------------------


class Finding(Record):
    """A problem found by a rule or by the compiler.

    A rule gives `file` and `path` in the rendered tree and leaves `layer` empty; the compiler then puts the
    layer's file, line and column there. A problem found in a layer names its file, line and layer itself.
    `line` and `column` count from 1; 0 means unknown. `hint` is the next step, a sentence.
    """

    rule: str
    severity: Severity
    message: str
    hint: str = ""
    file: str = ""
    path: Path = ()
    line: int = 0
    column: int = 0
    layer: str = ""


class Position(Record):
    """A place in a text, both numbers from 1."""

    line: int
    column: int
