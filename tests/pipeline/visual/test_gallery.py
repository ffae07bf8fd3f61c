"""The contact sheets can be made, from the sample products as they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from benchmarks.gallery import PRODUCTS, main, sample_job


@pytest.mark.parametrize("product", sorted(path.stem for path in PRODUCTS.glob("*.json")))
def test_each_sample_product_is_a_job_with_pictures(product: str) -> None:
    job = sample_job(product)
    assert job.images and job.price and job.rating and job.cta_url
    assert all(Path(path).is_file() for path in (*job.images, *filter(None, [job.logo])))


def test_the_short_gallery_makes_one_sheet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--short", "--products", "mug", "--out", str(tmp_path)])
    (path,) = capsys.readouterr().out.splitlines()
    with Image.open(path) as sheet:
        assert sheet.width > 1200
        assert len(sheet.convert("L").resize((200, 60)).getcolors(65536) or []) > 40
