"""claims.json: read by what draws it, with nothing that measures; refused in a line where it is damaged."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.claims import results
from tests.claims.made import card, claims
from tests.conftest import ROOT


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    made = claims((card(), {"slow": (0.3, 0.31), "fast": (1e-3, 1e-3)}))
    results.write(made, tmp_path)
    assert results.load(tmp_path) == made
    assert results.load(tmp_path / "elsewhere") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "can't be read"), ('{"format": 1}', "can't be read"), ("[]", "can't be read")],
)
def test_a_damaged_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / results.FILE).write_text(text)
    with pytest.raises(results.NotClaims, match=message):
        results.load(tmp_path)


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = results.write(claims((card(), {"slow": (0.3, 0.31), "fast": (1e-3, 1e-3)})), tmp_path)
    path.write_text(path.read_text().replace('"format": 1', '"format": 9', 1))
    with pytest.raises(results.NotClaims, match="has format 9; this version reads 1"):
        results.load(tmp_path)


def test_reading_needs_nothing_that_measures() -> None:
    code = (
        "import sys; from pathlib import Path; from bench.claims import results, verdicts; results.load(Path('.')); "
        "print(*[name for name in sys.modules if name.split('.')[0] in ('numba', 'matplotlib', 'kernels') "
        "or name.startswith(('bench.measure', 'bench.machine', 'bench.report'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.strip() == "", done.stdout + done.stderr
