"""Put the repository's root on the path: the benchmarks are not part of the installed package."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))
