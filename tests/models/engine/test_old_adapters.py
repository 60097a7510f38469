"""Adapters that nobody uses any more are freed: replaced files, and files that are gone."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path


def test_replaced_and_vanished_files_are_freed(base: Path, support: Path, tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import os, shutil, sys
        from pathlib import Path
        from llamadiff.models.engine import native
        from llamadiff.models.engine.protocol import AdapterUse, ModelSettings, file_version
        native.start()
        model = native.Model(sys.argv[1], ModelSettings(), lambda fraction: True)
        def use(name):
            path = Path(sys.argv[3]) / name
            path.unlink(missing_ok=True)
            shutil.copy(sys.argv[2], path)
            os.utime(path, ns=(len(uses), len(uses)))
            uses.append(AdapterUse(str(path), version=file_version(path)))
            model.adapter(uses[-1])
        def there():
            return [model.has_adapter(it) for it in uses]
        uses = []
        for name in ("step-1.gguf", "step-2.gguf", "mine.gguf", "mine.gguf", "step-3.gguf"):
            use(name)
        model.free_old_adapters([])
        print(there())
        for name in ("step-1.gguf", "step-2.gguf"):
            (Path(sys.argv[3]) / name).unlink()
        model.free_old_adapters([uses[1]])
        print(there())
        model.free_old_adapters([])
        print(there())
        """
    )
    command = [sys.executable, "-c", script, str(base), str(support), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    first, held, free = done.stdout.splitlines()
    assert first == "[True, True, False, True, True]"
    assert held == "[False, True, False, True, True]"
    assert free == "[False, False, False, True, True]"
