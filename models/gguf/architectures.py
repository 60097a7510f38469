"""The model architectures that llama.cpp knows, and those of them that are not causal.

Source: the architecture table (llama-arch.cpp) of the llama.cpp in llama-cpp-python 0.3.36,
read as `general.architecture`. The list of the gguf package lags behind it.
"""

from collections.abc import Mapping

CAUSAL = frozenset(
    """
    afmoe apertus arcee arctic arwkv7 baichuan bailingmoe bailingmoe2 bailingmoe3 bitnet
    bloom chameleon chatglm codeshell cogvlm cohere2 cohere2moe command-r dbrx deci deepseek
    deepseek2 deepseek2-ocr deepseek32 deepseek4 dots1 dots3note ernie4_5 ernie4_5-moe
    exaone exaone-moe exaone4 falcon falcon-h1 gemma gemma2 gemma3 gemma3n gemma4 glm-dsa
    glm4 glm4moe glm5-next gpt-oss gpt2 gptj gptneox granite granite_swa granitehybrid
    granitemoe graniteswitch grok grovemoe hrm_text hunyuan-dense hunyuan-moe hunyuan_vl
    hy_v3 hy_v4 internlm2 jais jais2 jamba kimi-k3 kimi-linear laguna lfm2 lfm2moe llama
    llama4 maincoder mamba mamba2 maple mellum mimo2 minicpm minicpm3 minimax-01 minimax-m2
    minimax-m3 mistral3 mistral4 mpt muse-glimmer nanbeige nemotron nemotron_h
    nemotron_h_moe olmo olmo2 olmoe openelm orion paddleocr pangu-embedded phi2 phi3 phimoe
    plamo plamo2 plamo3 plm qwen qwen2 qwen2moe qwen2vl qwen3 qwen35 qwen35moe qwen3moe
    qwen3next qwen3vl qwen3vlmoe qwen4exp refact rwkv6 rwkv6qwen2 rwkv7 seed_oss
    smallthinker smollm3 spark2_5 stablelm starcoder starcoder2 step35 talkie xverse
    """.split()  # noqa: SIM905 - one name a line would fill four screens
)
"""Architectures that write text token by token: what llamadiff runs."""

NOT_CAUSAL: Mapping[str, str] = {
    "bert": "a text-embedding model",
    "modern-bert": "a text-embedding model",
    "nomic-bert": "a text-embedding model",
    "nomic-bert-moe": "a text-embedding model",
    "neo-bert": "a text-embedding model",
    "jina-bert-v2": "a text-embedding model",
    "jina-bert-v3": "a text-embedding model",
    "eurobert": "a text-embedding model",
    "gemma-embedding": "a text-embedding model",
    "llama-embed": "a text-embedding model",
    "t5": "an encoder-decoder model",
    "t5encoder": "an encoder-decoder model",
    "dream": "a diffusion language model",
    "llada": "a diffusion language model",
    "llada-moe": "a diffusion language model",
    "rnd1": "a diffusion language model",
    "wavtokenizer-dec": "a speech model",
    "pockettts": "a speech model",
    "qwen3tts": "a speech model",
    "eagle3": "a draft model for speculative decoding",
    "dflash": "a draft model for speculative decoding",
    "gemma4-assistant": "a draft model for speculative decoding",
    "clip": "a projector (the image or audio part of a model)",
}
"""Architectures llama.cpp reads that llamadiff does not run, and what they are."""

SQUARE_QUERIES = frozenset(
    """
    arctic baichuan bitnet chameleon codeshell cohere2 command-r deepseek deepseek2-ocr grok
    internlm2 jamba lfm2 lfm2moe nemotron olmo olmo2 olmoe orion phi2 phi3 phimoe plamo
    qwen2 qwen2moe qwen2vl stablelm starcoder2 xverse
    """.split()  # noqa: SIM905 - as above
)
"""Architectures whose heads together must be as wide as the embedding."""

EQUAL_LENGTHS = frozenset(
    """
    afmoe apertus arcee arctic baichuan bailingmoe2 bitnet bloom chameleon chatglm codeshell
    cogvlm cohere2 cohere2moe command-r dbrx deci deepseek dots1 ernie4_5 ernie4_5-moe
    exaone exaone-moe exaone4 falcon glm4 glm4moe gpt2 gptneox granite granite_swa
    granitemoe hunyuan-dense granitehybrid graniteswitch grok grovemoe hunyuan-moe
    hunyuan_vl hy_v3 internlm2 jais jais2 laguna llama llama4 maincoder maple mellum
    minimax-01 minimax-m2 minimax-m3 mistral3 mpt muse-glimmer nanbeige nemotron nemotron_h
    nemotron_h_moe olmo olmo2 olmoe openelm orion paddleocr pangu-embedded phi2 phi3 plamo
    qwen qwen2 qwen2moe qwen2vl qwen3 qwen35 qwen35moe qwen3moe qwen3next qwen3vl qwen3vlmoe
    qwen4exp refact seed_oss smallthinker smollm3 spark2_5 stablelm starcoder starcoder2
    talkie xverse
    """.split()  # noqa: SIM905 - as above
)
"""Architectures whose keys must be as long as their values."""

WHOLE_HEADS = frozenset(
    """
    apertus arcee arctic baichuan chameleon codeshell cogvlm cohere2moe dbrx deci deepseek
    dots1 ernie4_5 ernie4_5-moe exaone exaone-moe exaone4 falcon granite granite_swa
    granitemoe graniteswitch grok grovemoe hunyuan-dense hunyuan-moe hunyuan_vl hy_v3
    internlm2 jais2 llama llama4 maincoder mellum mistral3 olmo olmo2 olmoe orion paddleocr
    pangu-embedded plamo qwen2 qwen2moe qwen2vl qwen3 qwen3moe qwen3vl qwen3vlmoe seed_oss
    smallthinker smollm3 starcoder2 talkie xverse
    """.split()  # noqa: SIM905 - as above
)
"""Architectures that rotate all elements of a head."""

UNROTATED = frozenset({"glm5-next", "kimi-k3", "kimi-linear"})
"""Architectures without rotary positions, which may say that they rotate 0 elements.

The four are from `create_tensor_qkv` and the assertions in src/models: there llama.cpp ends the
process over a model that is otherwise.
"""
