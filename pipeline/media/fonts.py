"""Fonts: bundled families, their variable weights, and the fallback for every script.

Families come from packages, so nothing is looked up on the machine and a render is the same
everywhere. A character that a style's own family lacks is set in the Noto face of its script.
"""

from __future__ import annotations

import importlib.util
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path as FilePath

import uharfbuzz as hb  # type: ignore[import-untyped]  # it ships no types

#: Family name -> (package, file inside it).
_FAMILIES: dict[str, tuple[str, str]] = {
    "Anton": ("fontpkg_anton", "files/Anton-Regular.ttf"),
    "Inter": ("fontpkg_inter", "files/Inter[opsz,wght].ttf"),
    "Archivo": ("fontpkg_archivo", "files/Archivo[wdth,wght].ttf"),
    "Playfair Display": ("fontpkg_playfair_display", "files/PlayfairDisplay[wght].ttf"),
    "Playfair Display Italic": (
        "fontpkg_playfair_display",
        "files/PlayfairDisplay-Italic[wght].ttf",
    ),
    "JetBrains Mono": ("fontpkg_jetbrains_mono", "files/JetBrainsMono[wght].ttf"),
    "Fredoka": ("fontpkg_fredoka", "files/Fredoka[wdth,wght].ttf"),
    "Space Grotesk": ("fontpkg_space_grotesk", "files/SpaceGrotesk[wght].ttf"),
    "Noto Sans": ("manimgx_fonts", "NotoSans[wght].ttf"),
}
#: Families of one weight: what that weight looks like beside Noto's.
_LOOKS = {"Anton": 850}
_FALLBACK_SCRIPTS = (
    *("Arabic", "Hebrew", "Devanagari", "Bengali", "Tamil", "Telugu", "Gujarati", "Gurmukhi"),
    *("Kannada", "Malayalam", "Oriya", "Sinhala", "Thai", "Lao", "Khmer", "Myanmar"),
    *("Georgian", "Armenian", "Ethiopic", "Symbols"),
)
_FALLBACKS: tuple[tuple[str, str], ...] = (
    ("manimgx_fonts", "NotoSans[wght].ttf"),
    *(("manimgx_fonts", f"NotoSans{script}[wght].ttf") for script in _FALLBACK_SCRIPTS),
    ("manimgx_fonts", "NotoEmoji[wght].ttf"),
    ("manimgx_fonts_cjk", "NotoSansCJK-VF.otf.ttc"),
)
#: Which face of the CJK collection draws a language's own forms.
_CJK_FACE = {"ja": 0, "ko": 1, "zh": 2}


@dataclass(frozen=True)
class FontSpec:
    """A family at a weight (100 to 900) and, where it has that axis, a width in per cent."""

    family: str
    weight: int = 400
    width: int = 100

    @property
    def known(self) -> bool:
        return self.family in _FAMILIES


class Face:
    """One font file at one weight, ready to shape. `upem` units make one em."""

    def __init__(self, file: FilePath, spec: FontSpec, index: int = 0) -> None:
        face = hb.Face(hb.Blob.from_file_path(str(file)), index)
        self.font = hb.Font(face)
        self.upem = face.upem
        axes = {axis.tag: axis for axis in face.axis_infos} if face.has_var_data else {}
        wanted = {"wght": float(spec.weight), "wdth": float(spec.width), "opsz": 32.0}
        #: The variable axes in the file's order, as they are set here.
        self.axes = {
            tag: min(max(wanted.get(tag, axis.default_value), axis.min_value), axis.max_value)
            for tag, axis in axes.items()
        }
        self.font.set_variations(self.axes)
        extents = self.font.get_font_extents("ltr")
        self.ascender = extents.ascender / self.upem
        self.descender = -extents.descender / self.upem
        cap = self.font.get_glyph_extents(self.font.get_nominal_glyph(ord("H")) or 0)
        self.cap_height = (cap.y_bearing / self.upem) if cap and cap.y_bearing else 0.7

    def covers(self, cluster: str) -> bool:
        """Whether every visible character of `cluster` has a glyph."""
        return all(
            self.font.get_nominal_glyph(ord(char)) is not None
            for char in cluster
            if not _invisible(char)
        )


def font_file(family: str) -> FilePath:
    """Where a bundled family lies. Raises KeyError for an unknown one."""
    return _package_file(*_FAMILIES[family])


def families() -> list[str]:
    """The bundled families that a brand may name."""
    return sorted(_FAMILIES)


@lru_cache(maxsize=32)
def faces(spec: FontSpec, language: str = "en") -> tuple[LazyFace, ...]:
    """The chain that sets text in `spec`: its own face, then each fallback, opened when asked."""
    own = _FAMILIES.get(spec.family, _FAMILIES["Noto Sans"])
    chain = [LazyFace(*own, spec)]
    weight = _LOOKS.get(spec.family, spec.weight)
    for package, name in _FALLBACKS:
        index = _CJK_FACE.get(language[:2], 2) if name.endswith(".ttc") else 0
        chain.append(LazyFace(package, name, FontSpec("Noto Sans", weight), index))
    return tuple(chain)


class LazyFace:
    """A face that is opened on first use: most texts need one or two of the chain."""

    def __init__(self, package: str, name: str, spec: FontSpec, index: int = 0) -> None:
        self._where = (package, name)
        self._spec = spec
        self.index = index
        self._face: Face | None = None

    @property
    def file(self) -> FilePath:
        return _package_file(*self._where)

    @property
    def emoji(self) -> bool:
        return self._where[1].startswith("NotoEmoji")

    @property
    def face(self) -> Face:
        if self._face is None:
            self._face = Face(self.file, self._spec, self.index)
        return self._face


def face_for(cluster: str, chain: tuple[LazyFace, ...]) -> int:
    """Index in `chain` of the first face that draws `cluster`; the style's own if none does."""
    if (len(cluster) > 1 and cluster[1] == "\ufe0f") or "\u200d" in cluster:
        order = [i for i in range(len(chain)) if chain[i].emoji]
        order += [i for i in range(len(chain)) if i not in order]
    else:
        order = list(range(len(chain)))
    for index in order:
        if chain[index].face.covers(cluster):
            return index
    return 0


def clusters(text: str) -> list[str]:
    """Split into what must not be torn apart: a base with its marks, joiners and modifiers."""
    out: list[str] = []
    for char in text:
        glue = (
            unicodedata.category(char) in ("Mn", "Mc", "Me")
            or _invisible(char)
            or 0x1F3FB <= ord(char) <= 0x1F3FF  # skin tones
            or 0xE0020 <= ord(char) <= 0xE007F  # flags spelt with tags
            or (bool(out) and out[-1].endswith("\u200d") and ord(char) > 0x2000)
            or (bool(out) and len(out[-1]) == 1 and _regional(char) and _regional(out[-1]))
        )
        if glue and out:
            out[-1] += char
        else:
            out.append(char)
    return out


def _regional(char: str) -> bool:
    return 0x1F1E6 <= ord(char) <= 0x1F1FF


def _invisible(char: str) -> bool:
    return unicodedata.category(char) == "Cf" or 0xFE00 <= ord(char) <= 0xFE0F


@lru_cache(maxsize=64)
def _package_file(package: str, name: str) -> FilePath:
    # find_spec does not import the package: some of these read metadata on import.
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise FileNotFoundError(f"the font package {package} is not installed")
    return FilePath(found.origin).parent / name
