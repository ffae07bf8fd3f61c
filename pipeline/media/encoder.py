"""How the delivered file is encoded, in one place.

H.264 High, 4:2:0, BT.709 limited range, constant frame rate, closed groups of half a
second, moov first, no edit list: what YouTube's and Instagram's upload guides ask for.
"""

from __future__ import annotations

import os

#: Encoding is most of the compositor's time, and flat motion graphics need no slower search.
PRESET = "ultrafast"
#: What that preset leaves out of High profile, put back: it costs little. "superfast" then comes
#: no closer to the picture; it saves a tenth of the bytes and takes a sixth longer. Weighted
#: B-frames keep slow motion even, where plain ones would stand still.
_BACK = "cabac=1:8x8dct=1:no-deblock=0:partitions=i8x8,i4x4:weightb=1"
#: Below this quantiser nothing can be seen, but bytes grow threefold; still fine enough for the
#: grain that keeps gradients from showing bands.
_FINEST_QP = 8
CRF = 18
#: More encoder threads cost memory (frames in flight), which is capped, for little speed.
_MAX_THREADS = 4


def video_args(fps: int) -> list[str]:
    """Key frames stand half a second apart: seeks are fast, platforms' re-encoders cut cleanly."""
    gop = fps // 2
    threads = min(_MAX_THREADS, os.cpu_count() or 2)
    return [
        "-c:v", "libx264", "-preset", PRESET, "-crf", str(CRF), "-profile:v", "high",
        "-pix_fmt", "yuv420p", "-r", str(fps), "-fps_mode", "cfr",
        "-g", str(gop), "-keyint_min", str(gop), "-sc_threshold", "0", "-flags", "+cgop",
        "-bf", "2", "-threads", str(threads),
        # No lookahead: groups are short and fixed, and each frame in it would hold 12 MB.
        # A flat gradient needs its bits in the dark and even parts: aq-mode 3 puts them there.
        "-x264-params", f"{_BACK}:aq-mode=3:qpmin={_FINEST_QP}:rc-lookahead=0:b-adapt=0",
        "-color_range", "tv", "-color_primaries", "bt709", "-color_trc", "bt709",
        "-colorspace", "bt709",
    ]  # fmt: skip


def audio_args() -> list[str]:
    return [
        *("-c:a", "aac", "-profile:a", "aac_low", "-b:a", "256k", "-ar", "48000", "-ac", "2"),
        # ffmpeg's default search, its noise shaping and its noise for noise were each seen to lift
        # single peaks by 2 dB and more; the quick search keeps them within 0.1 dB, and is given
        # the bits that it needs for it.
        *("-aac_coder", "fast", "-aac_tns", "0", "-aac_pns", "0", "-aac_is", "0"),
    ]


#: What AAC-LC delays by. Players skip it only by an edit list, and there is none.
_AAC_PRIMING = 1024


def audio_filter(cut_db: float = 0.0) -> str:
    """Makes up for the encoder's delay: the sound's own first 21 ms, which are silent, go."""
    quieter = f"volume=-{cut_db:.2f}dB," if cut_db else ""
    return f"{quieter}atrim=start_sample={_AAC_PRIMING},asetpts=N/SR/TB"


def container_args() -> list[str]:
    # Without an edit list B-frames would start the picture two frames late; negative
    # composition offsets (ctts version 1) let it start at 0.
    return [
        "-movflags", "+faststart+negative_cts_offsets", "-use_editlist", "0",
        "-map_metadata", "-1", "-fflags", "+bitexact", "-f", "mp4",
    ]  # fmt: skip
