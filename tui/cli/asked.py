"""What the command line asks for, and the variants and settings that makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...compare.spec import Defaults
    from ...compare.variants import Variant
    from ...models.catalog import Catalog
    from ...models.engine.protocol import ModelSettings


@dataclass(frozen=True)
class Asked:
    """What the command line asks for, as given."""

    model: str | None = None
    adapters: tuple[str, ...] = ()
    prompt: str | None = None
    user: str | None = None
    variants: tuple[str, ...] = ()
    values: dict[str, str] = field(default_factory=dict[str, str])
    each: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    sampling: dict[str, str] = field(default_factory=dict[str, str])
    exact: bool = False
    ctx_size: int | None = None
    threads: int | None = None
    gpu_layers: int | None = None
    kv_type: str | None = None
    context_shift: bool = False
    history: bool = True

    @property
    def nothing(self) -> bool:
        """Neither model, adapter, prompt, text nor variant was given."""
        named = self.model or self.adapters or self.prompt or self.variants
        return not named and self.user is None

    def make_variants(self) -> list[Variant]:
        """Raises CompareError, ModelError or PromptError. PEFT folders are converted first."""
        from ...compare.spec import make_variants, with_values
        from ...prompts.rendering.helper import Renderer

        variants = make_variants(self.defaults(), self.variants)
        if not self.each:
            return variants
        with Renderer() as renderer:
            used = {it.prompt.name: renderer.template_variables(it.prompt) for it in variants}
        return with_values(variants, self.each, used)

    def defaults(self) -> Defaults:
        """What every variant starts from, with this person's catalog and library."""
        from ...compare.spec import Defaults
        from .found import open_catalog, open_library
        from .peft import converter

        catalog = open_catalog()
        return Defaults(
            self.model or _own_model(catalog),
            self.prompt,
            self.adapters,
            self.sampling,
            catalog,
            open_library(),
            converter(),
            self.user,
        )

    @property
    def options(self) -> dict[str, Any]:
        """What is given of that which a person can set for good, by the names of the settings."""
        given = {
            "model": self.model, "context": self.ctx_size, "threads": self.threads,
            "gpu_layers": self.gpu_layers, "kv_type": self.kv_type,
        }  # fmt: skip
        return {name: value for name, value in given.items() if value is not None}

    def settings(self) -> ModelSettings:
        """How models are loaded: as asked for, else as the person has set."""
        return self._settings({})

    def own_settings(self) -> dict[str, ModelSettings]:
        """How those models are loaded that have settings of their own, by name."""
        from ..config.current import configured

        return {name: self._settings(own) for name, own in configured().models.items()}

    def _settings(self, own: Mapping[str, Any]) -> ModelSettings:
        from ...models.engine.protocol import ModelSettings
        from ..config.current import configured

        config = configured().given({**own, **self.options}).config
        return ModelSettings(
            n_ctx=config.context,
            n_threads=config.threads,
            n_gpu_layers=config.gpu_layers,
            kv_type=config.kv_type,
            context_shift=self.context_shift,
        )


def _own_model(catalog: Catalog) -> str | None:
    """The model that the person has set. Raises ModelError, which says where, if there is none."""
    from ...models.errors import ModelError
    from ..config.current import configured

    now = configured()
    if not now.config.model:
        return None
    try:
        catalog.model(now.config.model)
    except ModelError as error:
        raise ModelError(f"{error} It is the model of {now.sources['model']}.") from None
    return now.config.model
