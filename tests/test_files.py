"""Files that are replaced whole or not at all."""

from pathlib import Path

import pytest

from bench.files import replaced


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    path.write_text("old")

    def cut_off() -> None:
        with replaced(path) as new:
            assert new.suffix == ".svg"
            new.write_text("hal")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        cut_off()
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]
    with replaced(path) as new:
        new.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new" and list(tmp_path.iterdir()) == [path]
