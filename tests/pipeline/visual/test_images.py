"""Pictures from outside are opened with caps, and refused with the field's name and a way out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from errors import InvalidInput
from pipeline.media.images import check_reference, load_image


def picture(path: Path, size: tuple[int, int] = (64, 48), form: str = "PNG") -> Path:
    Image.new("RGB", size, "red").save(path, format=form)
    return path


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_the_three_formats_are_read(tmp_path: Path, form: str) -> None:
    image = load_image(picture(tmp_path / "a", form=form))
    assert (image.mode, image.size) == ("RGBA", (64, 48))


def test_a_photograph_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (64, 32)).save(tmp_path / "a.jpg", exif=exif)
    assert load_image(tmp_path / "a.jpg").size == (32, 64)


def bad_images(folder: Path) -> dict[str, Path]:
    whole = picture(folder / "whole.png", (400, 400)).read_bytes()
    text, cut, gif = folder / "text.png", folder / "cut.png", folder / "a.gif"
    text.write_text("no picture at all")
    cut.write_bytes(whole[: len(whole) // 2])
    picture(gif, form="GIF")
    return {
        "not a PNG": text,
        "damaged": cut,
        "is not a PNG, JPEG": gif,
        "1 x 1 px": picture(folder / "dot.png", (1, 1)),
        "cannot be read": folder / "missing.png",
    }


def test_bad_pictures_are_refused_with_the_reason(tmp_path: Path) -> None:
    for reason, path in bad_images(tmp_path).items():
        with pytest.raises(InvalidInput, match=reason) as caught:
            load_image(path, field="images.2")
        assert caught.value.field == "images.2"


def test_too_many_pixels_or_bytes_are_refused(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.png", (300, 300))
    with pytest.raises(InvalidInput, match="megapixels"):
        load_image(path, max_pixels=10_000)
    with pytest.raises(InvalidInput, match="MB"):
        load_image(path, max_bytes=10)


def test_a_reference_must_name_a_file_in_an_allowed_folder(tmp_path: Path) -> None:
    allowed, outside = tmp_path / "allowed", tmp_path / "outside"
    allowed.mkdir()
    outside.mkdir()
    good, secret = picture(allowed / "good.png"), picture(outside / "secret.png")
    (allowed / "link.png").symlink_to(secret)
    os.mkfifo(allowed / "pipe")
    assert check_reference("images.0", str(good), [allowed]) == good.resolve()
    assert check_reference("images.0", "good.png", [allowed]) == good.resolve()
    refused = [str(secret), "../outside/secret.png", str(allowed / "link.png"), str(allowed)]
    refused += [
        str(allowed / "pipe"),
        "https://a.example/x.png",
        "missing.png",
        "/etc/passwd",
        "a\0b",
    ]
    refused += ["x" * 400]
    for reference in refused:
        with pytest.raises(InvalidInput) as caught:
            check_reference("images.0", reference, [allowed])
        assert caught.value.field == "images.0"
