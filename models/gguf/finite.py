"""Look for numbers in a file's tensors that are not finite."""

from .header import Header

_EXPONENTS = {"F32": ("<u4", 0x7F800000), "F16": ("<u2", 0x7C00), "BF16": ("<u2", 0x7F80)}
"""An IEEE float is infinite or not a number when all bits of its exponent are set."""


def first_not_finite(header: Header) -> str | None:
    """The name of the first F32, F16 or BF16 tensor with a NaN or an infinity; None if none has.

    Reads every such tensor whole. The tensors must lie inside the file.
    """
    import numpy as np

    assert header.data_offset is not None
    for tensor in header.tensors:
        if tensor.type_name not in _EXPONENTS:
            continue
        layout, exponent = _EXPONENTS[tensor.type_name]
        bits = np.fromfile(
            header.path,
            dtype=layout,
            count=tensor.n_bytes // int(layout[-1]),
            offset=header.data_offset + tensor.offset,
        )
        if bits.size and ((bits & exponent) == exponent).any():
            return tensor.name
    return None
