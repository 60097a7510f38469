"""Look for numbers in a file's tensors that are not finite."""

from collections.abc import Iterable, Mapping

from .header import Header, TensorInfo
from .types import TENSOR_TYPES

_EXPONENTS = {"F32": ("<u4", 0x7F800000), "F16": ("<u2", 0x7C00), "BF16": ("<u2", 0x7F80)}
"""An IEEE float is infinite or not a number when all bits of its exponent are set."""

_SCALES: Mapping[str, tuple[int, ...]] = {
    "Q4_0": (0,),
    "Q4_1": (0, 2),
    "Q5_0": (0,),
    "Q5_1": (0, 2),
    "Q8_0": (0,),
    "Q2_K": (80, 82),
    "Q3_K": (108,),
    "Q4_K": (0, 2),
    "Q5_K": (0, 2),
    "Q6_K": (208,),
    "IQ4_NL": (0,),
    "IQ4_XS": (0,),
}
"""Where in a block its float16 scales are (ggml-common.h); the rest of a block is whole numbers."""

_BLOCK_BYTES = {kind.name: kind.n_bytes for kind in TENSOR_TYPES.values()}
_AT_ONCE = 1 << 22


def first_not_finite(header: Header, tensors: Iterable[TensorInfo]) -> str | None:
    """The name of the first of these tensors with a NaN or an infinity; None if none has.

    Reads each whole, but for types whose scales are in no table here. The tensors must lie inside
    the file.
    """
    import numpy as np

    assert header.data_offset is not None
    with header.path.open("rb") as file:
        for tensor in tensors:
            layout, exponent = _EXPONENTS.get(tensor.type_name, ("", 0))
            scales = _SCALES.get(tensor.type_name, ())
            if not layout and not scales:
                continue
            step = _BLOCK_BYTES[tensor.type_name]
            file.seek(header.data_offset + tensor.offset)
            left = tensor.n_bytes
            while left:
                block = file.read(min(left, _AT_ONCE // step * step))
                if not block:
                    break
                left -= len(block)
                if layout:
                    bits = np.frombuffer(block, dtype=layout)
                else:
                    rows = np.frombuffer(block, dtype=np.uint8).reshape(-1, step)
                    bits = np.concatenate(
                        [rows[:, at : at + 2].copy().view("<u2").ravel() for at in scales]
                    )
                    exponent = _EXPONENTS["F16"][1]
                if ((bits & exponent) == exponent).any():
                    return tensor.name
    return None
