"""Does an adapter fit a base model? Asked before llama.cpp is, which says less or ends.

The rules are those of llama-adapter.cpp in llama-cpp-python 0.3.36, and of the graphs that use
the tensors: what it loads and then aborts on is refused too.
"""

from ..errors import ModelError
from ..gguf.facts import AdapterFacts, ModelFacts
from ..gguf.header import TensorInfo
from .provenance import BASE_FILE, BASE_SHA256

_TOKEN_EMBEDDING = "token_embd.weight"


def check_fit(
    adapter: AdapterFacts, base: ModelFacts, *, base_sha256: str | None = None
) -> tuple[str, ...]:
    """What is odd about using `adapter` on `base` though it can be, a sentence each.

    `base_sha256`, where it is known, is held against the hash that the adapter records.

    Shapes are row length first: A is (in, rank), B (rank, out), and the weight (in, out); for
    the token embedding A is (rank, vocabulary), B (rank, embedding). Raises ModelError when the
    architectures differ, `base` lacks a weight, a shape differs, or the adapter changes a token
    embedding that is also the output layer (llama.cpp aborts at the first decode).
    """
    if adapter.architecture != base.architecture:
        raise ModelError(
            f"{adapter.name} is an adapter for {adapter.architecture} models and {base.name} is "
            f"{base.architecture}; choose an adapter trained on this base."
        )
    for weight, (a, b) in adapter.pairs.items():
        shape = base.shapes.get(weight)
        if shape is None:
            raise _misfit(adapter, f"changes {weight}, which {base.name} does not have")
        if weight == _TOKEN_EMBEDDING and base.tied_embeddings:
            raise ModelError(
                f"{adapter.name} changes the token embedding, which in {base.name} is also the "
                "output layer and cannot be adapted; train the adapter without it."
            )
        adapted = _adapted_shape(weight, a, b)
        if adapted is None:
            raise ModelError(
                f"{adapter.name} is damaged: its A and B for {weight} are {_words(a.shape)} and "
                f"{_words(b.shape)}, which do not meet; convert the adapter again."
            )
        if adapted != shape:
            what = f"changes {weight} as {_words(adapted)}, which in {base.name} is {_words(shape)}"
            raise _misfit(adapter, what)
    recorded = adapter.provenance.get(BASE_SHA256)
    if recorded and base_sha256 and recorded != base_sha256:
        made_for = adapter.provenance.get(BASE_FILE, "another file")
        return (
            *adapter.odd,
            f"{adapter.name} was converted for {made_for} (sha256 {recorded[:12]}…), and "
            f"{base.name} is another file ({base_sha256[:12]}…); that is as it should be if only "
            "their quantization differs.",
        )
    return adapter.odd


def _adapted_shape(weight: str, a: TensorInfo, b: TensorInfo) -> tuple[int, ...] | None:
    """The shape of the weight that this pair changes; None when A and B have no rank in common.

    Further dimensions (experts) must be equal too.
    """
    if weight.endswith(_TOKEN_EMBEDDING):
        return (b.shape[1], a.shape[1]) if a.shape[0] == b.shape[0] else None
    if a.shape[1] != b.shape[0] or a.shape[2:] != b.shape[2:]:
        return None
    return (a.shape[0], b.shape[1], *a.shape[2:])


def _misfit(adapter: AdapterFacts, what: str) -> ModelError:
    return ModelError(f"{adapter.name} {what}; choose an adapter trained on this base.")


def _words(shape: tuple[int, ...]) -> str:
    return " × ".join(str(extent) for extent in shape)
