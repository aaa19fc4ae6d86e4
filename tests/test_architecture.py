"""The layers of the architecture: which package may import which, and which may touch the outside world."""

from __future__ import annotations

import ast
import re
import statistics
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "halgit"

LAYERS: dict[str, int] = {
    "errors": 0, "pipeline": 0, "operator_settings": 0, "redaction": 0, "record": 0, "lazy": 0,
    "c_library": 0, "vocabulary": 0, "annotations": 0, "__init__": 0,
    "catalog": 1, "text": 1, "yaml": 1, "halyard": 1, "references": 1, "remotes": 1,
    "settings": 2, "merge": 2, "sops": 2, "validation": 2, "report": 2,
    "parameters": 3,
    "opsmx": 4,
    "sources": 5, "secrets": 5, "explain": 5, "diff": 5, "convert": 5, "lock": 5, "publish": 5, "accounts": 5, "isd": 5,
    "compiler": 6,
    "sync": 7,
    "cli": 8, "server": 8, "__main__": 9,
}  # fmt: skip

PURE = {"catalog", "errors", "pipeline", "operator_settings", "redaction", "record", "lazy",
        "vocabulary", "annotations", "text", "yaml", "halyard", "references",
        "settings", "merge", "sops", "parameters", "opsmx", "validation", "report", "explain", "diff", "convert",
        "lock"}  # fmt: skip
WORLD = {"os", "time", "random", "socket", "subprocess", "shutil", "tempfile", "urllib.request", "http.client"}
YAML_LIBRARIES = {"yaml", "ruamel"}
REMOTE_LIBRARIES = {"git", "boto3", "botocore", "hvac", "lightkube", "httpx", "requests", "urllib3", "google",
                    "subprocess", "socket", "ssl", "http.client", "urllib.request"}  # fmt: skip
HEAVY = {"boto3", "botocore", "hvac", "git", "fastapi", "uvicorn", "cryptography", "lightkube", "google", "rich",
         "jsonschema_rs", "ruamel", "pyrage"}  # fmt: skip
REFUSED_NAMES = {"utils", "helpers", "common", "manager", "core", "misc"}


class Module:
    def __init__(self, file: Path) -> None:
        self.file = file
        self.parts = file.relative_to(PACKAGE).with_suffix("").parts
        self.package = self.parts[0]
        self.name = "/".join(self.parts)
        self.tree = ast.parse(file.read_text())
        self.top, self.all = _imports(self.tree)

    def in_package(self, names: set[str]) -> set[str]:
        """Which of these libraries the module imports, anywhere in it."""
        return {name for name in names for used in self.all if used == name or used.startswith(name + ".")}


def _imports(tree: ast.Module) -> tuple[set[str], set[str]]:
    guarded = {
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for node in ast.walk(block)
    }
    inner = {
        node
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
    }
    top: set[str] = set()
    everywhere: set[str] = set()
    for node in ast.walk(tree):
        if node in guarded:
            continue
        names: set[str] = set()
        if isinstance(node, ast.Import):
            names = {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the package"
            names = {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
        everywhere |= names
        if node not in inner:
            top |= names
    return top, everywhere


MODULES = [Module(file) for file in sorted(PACKAGE.rglob("*.py"))]
EACH = pytest.mark.parametrize("module", MODULES, ids=lambda m: m.name)


def _packages(module: Module) -> set[str]:
    packages = set()
    for used in module.all:
        parts = used.split(".")
        if parts[0] == "halgit" and len(parts) > 1 and parts[1] in LAYERS:
            packages.add(parts[1])
    return packages - {module.package}


@EACH
def test_every_package_is_in_the_plan(module: Module) -> None:
    assert module.package in LAYERS, f"{module.package} is not in the plan; add it to docs/architecture.md and here"
    assert not REFUSED_NAMES & set(module.parts), "a name that says nothing"


@EACH
def test_imports_go_downward(module: Module) -> None:
    here = LAYERS[module.package]
    for package in _packages(module):
        allowed = (
            LAYERS[package] < here or (here == 0 == LAYERS[package]) or (module.package, package) == ("cli", "server")
        )
        assert allowed, f"{module.name} (layer {here}) imports {package} (layer {LAYERS[package]})"


def test_no_module_imports_itself_through_others() -> None:
    graph: dict[str, set[str]] = {}
    names = {"halgit." + ".".join(m.parts).removesuffix(".__init__"): m for m in MODULES}
    for name, module in names.items():
        graph[name] = {used for used in module.top if used in names and used != name}
    done: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, "import cycle: " + " -> ".join([*trail, name])
        if name not in done:
            for used in sorted(graph[name]):
                walk(used, (*trail, name))
            done.add(name)

    for name in graph:
        walk(name, ())


def test_the_page_lists_every_package() -> None:
    page = (PACKAGE.parent / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = {
        (package.strip("`").rstrip("/").removesuffix(".py"), int(layer))
        for layer, packages in re.findall(r"^\| (\d) \| ([^|]+) \|", page, re.MULTILINE)
        for package in packages.split(", ")
    }
    assert listed == {(package, layer) for package, layer in LAYERS.items() if not package.startswith("__")}


@EACH
def test_pure_packages_do_not_touch_the_world(module: Module) -> None:
    if module.package in PURE:
        assert not module.in_package(WORLD), f"{module.name} is pure and may not import {module.in_package(WORLD)}"


@EACH
def test_only_the_yaml_package_imports_a_yaml_library(module: Module) -> None:
    if module.package != "yaml":
        assert not module.in_package(YAML_LIBRARIES)


@EACH
def test_only_remotes_import_what_opens_a_socket_or_starts_a_process(module: Module) -> None:
    if module.package != "remotes":
        assert not module.in_package(REMOTE_LIBRARIES)


@EACH
def test_only_the_cli_and_the_server_read_the_environment(module: Module) -> None:
    if module.package in {"cli", "server"}:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "environb"}:
            pytest.fail(f"{module.name}:{node.lineno} reads the environment")


@EACH
def test_only_the_cli_imports_click(module: Module) -> None:
    if module.package != "cli":
        assert not module.in_package({"click"})


@EACH
def test_heavy_libraries_load_where_they_are_used(module: Module) -> None:
    own = {"fastapi", "uvicorn"} if module.parts[0] == "server" else set()
    heavy = {name for name in HEAVY - own for used in module.top if used == name or used.startswith(name + ".")}
    assert not heavy, f"{module.name} imports {heavy} at its top: import it in the function that needs it"


_WRITERS = {"write_text", "write_bytes", "rename", "replace", "unlink", "rmtree", "mkdir", "symlink_to", "touch"}


@EACH
def test_files_are_written_through_publish_only(module: Module) -> None:
    if module.package in {"publish", "remotes"}:
        return
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        if isinstance(function, ast.Name) and function.id == "open":
            mode = node.args[1] if len(node.args) > 1 else None
            if isinstance(mode, ast.Constant) and set(str(mode.value)) & set("wax+"):
                pytest.fail(f"{module.name}:{node.lineno} opens a file to write")
        if isinstance(function, ast.Attribute) and function.attr in {"write_text", "write_bytes", "rmtree"}:
            pytest.fail(f"{module.name}:{node.lineno} {function.attr}")
        if (
            isinstance(function, ast.Attribute)
            and function.attr in _WRITERS
            and isinstance(function.value, ast.Name)
            and function.value.id in {"os", "shutil"}
        ):
            pytest.fail(f"{module.name}:{node.lineno} os.{function.attr}")


@EACH
def test_every_module_says_what_it_is_for(module: Module) -> None:
    text = ast.get_docstring(module.tree)
    assert len(text or "") > 30, f"{module.name} has no opening paragraph"


@EACH
def test_files_and_functions_stay_readable(module: Module) -> None:
    lines = module.file.read_text().count("\n")
    assert lines <= 400, f"{module.name} has {lines} lines"
    for node in ast.walk(module.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno:
            length = node.end_lineno - node.lineno + 1
            assert length <= 60, f"{module.name}:{node.lineno} {node.name} has {length} lines"


def test_tests_reach_for_no_private_names() -> None:
    for file in Path(__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "setattr":
                for argument in node.args[:2]:
                    private = isinstance(argument, ast.Constant) and str(argument.value).split(".")[-1].startswith("_")
                    assert not private, f"{file.name}:{node.lineno} patches a private name"


def test_modules_and_functions_keep_their_size() -> None:
    lines = {module.name: module.file.read_text().count("\n") for module in MODULES}
    small = sorted(name for name, count in lines.items() if count < 40)
    assert not [name for name, count in lines.items() if count > 400]
    assert statistics.median(lines.values()) >= 120
    assert len(small) <= 0.08 * len(lines), f"modules below 40 lines: {small}"


def test_functions_are_short() -> None:
    lengths = sorted(
        (node.end_lineno or 0) - node.lineno + 1
        for module in MODULES
        for node in ast.walk(module.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    )
    assert lengths[int(len(lengths) * 0.9)] <= 16
    assert lengths[-1] <= 60
