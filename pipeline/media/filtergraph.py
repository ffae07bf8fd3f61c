"""The filtergraph: stills are looped, heroes move, titles and captions lie on
top. Numbers and fixed file names only: no text of a user's comes in here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.stage import Json

#: Frames in which a hero fades where the style has no transition to cover the cut.
_FADE_F = 6


@dataclass
class Graph:
    """Inputs (as ffmpeg arguments) and the filtergraph that joins them into `[video]`."""

    inputs: list[str] = field(default_factory=list)
    chains: list[str] = field(default_factory=list)
    count: int = 0

    def add_input(self, args: list[str], file: str) -> int:
        """Add one input; returns its number. Only local files and pipes can be opened."""
        self.inputs += ["-protocol_whitelist", "file,pipe", *args, "-i", file]
        self.count += 1
        return self.count - 1

    @property
    def text(self) -> str:
        return ";".join(self.chains)


def build(plan: Json, *, captions: bool, only: int | None = None) -> Graph:
    """The graph of a plan of either kind; `only` is one scene of a plan of layers."""
    graph = Graph()
    base = _clips(graph, plan) if plan["kind"] == "clips" else _layers(graph, plan, only)
    frames = plan["frames"]
    if only is not None:
        frames = plan["scenes"][only]["end_f"] - plan["scenes"][only]["start_f"]
    drawn = [f"ass=f={plan['titles']}:fontsdir=fonts"] if plan.get("titles") else []
    if captions:
        drawn.append("ass=f=captions.ass:fontsdir=fonts")
    tags = "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
    # Titles and captions are timed from the start of the ad, so the clock is set back last.
    again = ["setpts=PTS-STARTPTS"] if only is not None else []
    tail = ",".join([tags, *drawn, f"trim=end_frame={frames}", *again, "format=yuv420p"])
    graph.chains.append(f"[{base}]{tail}[video]")
    return graph


def _layers(graph: Graph, plan: Json, only: int | None) -> str:
    scenes = plan["scenes"]
    shown = scenes if only is None else [scenes[only]]
    names = ""
    for n, (backdrop, frames) in enumerate(_runs(shown)):
        number = graph.add_input(_raw("yuv420p", backdrop, plan["fps"]), backdrop["file"])
        graph.chains.append(f"[{number}:v]{_still(frames)}[b{n}]")
        names += f"[b{n}]"
    first = f",setpts=PTS+{shown[0]['start_f']}/({plan['fps']}*TB)" if only is not None else ""
    graph.chains.append(f"{names}concat=n={names.count('[')}:v=1:a=0{first}[base]")
    graph.chains.append(f"[base]ass=f={plan['under']}:fontsdir=fonts[under]")
    name = "under"
    for i, scene in enumerate(scenes):
        if scene["hero"] and scene in shown:
            graph.chains.append(_hero(graph, plan, scene, i))
            hero = scene["hero"]
            graph.chains.append(
                f"[{name}][h{i}]overlay=x={hero['x']}:y={hero['y']}:eof_action=pass:"
                f"repeatlast=0:format=yuv420[o{i}]"
            )
            name = f"o{i}"
    return name


def _runs(scenes: list[Json]) -> list[tuple[Json, int]]:
    """(backdrop, frames): neighbours on the same backdrop are one still."""
    out: list[tuple[Json, int]] = []
    for scene in scenes:
        frames = scene["end_f"] - scene["start_f"]
        if out and out[-1][0] == scene["backdrop"]:
            out[-1] = (scene["backdrop"], out[-1][1] + frames)
        else:
            out.append((scene["backdrop"], frames))
    return out


def _raw(pixels: str, part: Json, fps: int) -> list[str]:
    size = f"{part['width']}x{part['height']}"
    return ["-f", "rawvideo", "-pixel_format", pixels, "-video_size", size, "-framerate", str(fps)]


def _still(frames: int) -> str:
    # One decoded frame, handed on by reference: looping costs nothing.
    return f"loop=loop=-1:size=1,setpts=N,trim=end_frame={frames}"


def _hero(graph: Graph, plan: Json, scene: Json, index: int) -> str:
    """A sprite that comes up, then turns and grows evenly, sampled between pixels: no shake.

    Each corner of the picture is the source point c + R(-angle) (corner - c - rise) / zoom.
    """
    hero, fps = scene["hero"], plan["fps"]
    number = graph.add_input(_raw("yuva420p", hero, fps), hero["file"])
    frames = scene["end_f"] - scene["start_f"] - hero["delay"]
    (z0, z1), (a0, a1) = hero["zoom"], hero["sway"]
    # Reaching the end only after a while keeps short scenes as calm as long ones.
    span = max(frames, 90)
    zoom = f"({z0}+{z1 - z0:.5f}*on/{span})"
    dy = f"{hero['rise']:.2f}*pow(1-min(1,on/{hero['enter']}),3)"
    angle = f"({a0 * 0.0174533:.6f}+{(a1 - a0) * 0.0174533:.6f}*on/{span})"
    corners = []
    for n, (sx, sy) in enumerate(((-1, -1), (1, -1), (-1, 1), (1, 1))):
        px, py = f"({sx}*W/2)", f"({sy}*H/2-{dy})"
        if a0 or a1:
            x = f"W/2+(cos{angle}*{px}+sin{angle}*{py})/{zoom}"
            y = f"H/2+(cos{angle}*{py}-sin{angle}*{px})/{zoom}"
        else:
            x, y = f"W/2+{px}/{zoom}", f"H/2+{py}/{zoom}"
        corners.append(f"x{n}='{x}':y{n}='{y}'")
    moved = f"perspective={':'.join(corners)}:sense=source:interpolation=linear:eval=frame"
    shown = f"fade=t=in:s=0:n={max(2, hero['enter'] // 2)}:alpha=1"
    if scene is not plan["scenes"][-1] and plan["transition"] == "settle":
        shown += f",fade=t=out:s={frames - _FADE_F}:n={_FADE_F}:alpha=1"
    start = scene["start_f"] + hero["delay"]
    return f"[{number}:v]{_still(frames)},{moved},{shown},setpts=N+{start}[h{index}]"


def _clips(graph: Graph, plan: Json) -> str:
    """Filmed clips: each cut or held to its scene, filled to the frame, converted to BT.709.

    A scene's `from_f` is where it starts in its clip, which then has the plan's own frame rate.
    """
    w, h, fps = plan["width"], plan["height"], plan["fps"]
    names = ""
    runs = _clip_runs(plan["scenes"])
    for i, (scene, frames) in enumerate(runs):
        # Half a frame early, so that rounding cannot skip the first one.
        seek_s = max(0.0, (scene.get("from_f", 0) - 0.5) / fps)
        seek = ["-ss", f"{seek_s:.4f}"] if seek_s else []
        number = graph.add_input([*seek, "-f", "mov"], scene["clip"])
        graph.chains.append(
            f"[{number}:v]setpts=PTS-STARTPTS,fps={fps},"
            f"scale=w={w}:h={h}:force_original_aspect_ratio=increase:flags=bicubic:out_color_matrix=bt709:out_range=tv,crop={w}:{h},setsar=1,"
            f"tpad=stop_mode=clone:stop=-1,trim=end_frame={frames},setpts=N/{fps}/TB,"
            f"format=yuv420p[b{i}]"
        )
        names += f"[b{i}]"
    graph.chains.append(f"{names}concat=n={len(runs)}:v=1:a=0[base]")
    return "base"


def _clip_runs(scenes: list[Json]) -> list[tuple[Json, int]]:
    """(scene, frames): neighbours that go on in one clip are one input, as each costs memory."""
    out: list[tuple[Json, int]] = []
    for scene in scenes:
        frames = scene["end_f"] - scene["start_f"]
        first, so_far = out[-1] if out else ({}, 0)
        goes_on = "from_f" in first and scene.get("from_f") == first["from_f"] + so_far
        if goes_on and scene["clip"] == first["clip"]:
            out[-1] = (first, so_far + frames)
        else:
            out.append((scene, frames))
    return out
