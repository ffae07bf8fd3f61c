"""Finding the kinds that a process is to know: this project's own, and what the settings list."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

from background.kinds import REGISTRY, Registry
from config import Settings, variable_of
from errors import ConfigError, InvalidInput

#: This project's own kinds.
_BUILTIN = "background.builtin"


def discover(settings: Settings) -> Registry:
    """Import every listed module, and every file of every listed folder; safe to repeat.

    Raises ConfigError that names each that cannot be imported, and why.
    """
    importlib.import_module(_BUILTIN)
    problems = []
    for name in settings.background_modules:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001  # whatever their code does at import
            problems.append(_problem("background_modules", name, error))
    for folder in settings.background_folders:
        files = sorted(Path(folder).glob("*.py"))
        if not Path(folder).is_dir():
            problems.append(f"{variable_of('background_folders')}: {folder} is no folder")
        for path in files:
            try:
                _import_file(path)
            except Exception as error:  # noqa: BLE001  # the same
                problems.append(_problem("background_folders", str(path), error))
    if problems:
        raise ConfigError(problems)
    return REGISTRY


def _import_file(path: Path) -> None:
    # By file and not by name, so that two folders may hold files of the same name.
    name = f"background_folder.{path.resolve().parent.name}.{path.stem}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


def _problem(field: str, name: str, error: Exception) -> str:
    told = str(error) if isinstance(error, InvalidInput) else f"{type(error).__name__}: {error}"
    return f"{variable_of(field)}: {name} cannot be imported ({told})"
