"""One training from its job to the finished adapter: read, estimate, load, train, convert, describe."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil

from ..adapters.training import Training
from ..errors import ModelError
from ..gguf.facts import ModelFacts
from ..hashing import model_sha256
from .base import Base, check_base, device_here, dtype_of, load_base, weight_files
from .batches import lay_out
from .card import Card, check_place, write_card
from .checkpoints import Checkpoints, Origin, State
from .control import Control
from .estimate import Estimate, check_reading, check_room, estimate, measure_flops
from .extra import missing_extra, tool_versions
from .lora import Tensors, write_adapter
from .memory_use import memory_peak
from .parallel import ALONE, Group
from .rows import TrainingRow, check_rows, of_kind, read_rows, sequences
from .tasks import Begun, Done, Estimated, Failed, Job, Report, Stepped
from .trainer import Diverged, Trainer

SMALL = 20_000_000
"""Parameters up to which one thread computes faster than several that wait for each other."""
_OUT_OF_MEMORY = re.compile(
    r"out of memory|can(?:'t|not) allocate memory|not enough memory", re.IGNORECASE
)
"""What torch says on a GPU and on a CPU, and an operating system."""
_MEASURED_AFTER = 5
"""Steps after which the estimate is made anew from what they took."""
_APART = 0.25
"""Nats per token by which two readings of one base may differ on average; quantized bases differ by
some 0.05, since llama.cpp rounds activations too."""


class Session:
    """Carries out one job; `say` is told what happens, `control` what is asked meanwhile.

    Of a `group` all processes carry it out, and the first one alone tells and writes.
    """

    def __init__(
        self,
        job: Job,
        facts: ModelFacts,
        say: Callable[[Report], None],
        control: Control,
        group: Group = ALONE,
    ) -> None:
        self._job, self._facts, self._group = job, facts, group
        self._say = say if group.first else lambda report: None
        self._control = control
        self._work, self._out = Path(job.work), Path(job.out)
        self._weights = Path(job.weights) if job.weights else None
        self._kept_step = 0

    def run(self) -> Done | Failed | None:
        """The last report; None where the first process of the group tells it. Raises ModelError for
        what is refused before the first step."""
        try:
            return self._run(self._prepared())
        except (RuntimeError, MemoryError) as error:
            if not (isinstance(error, MemoryError) or _OUT_OF_MEMORY.search(str(error))):
                raise
            traceback.print_exc()
            return self._failed(
                "The memory is used up; make batch smaller and accumulation larger, or set "
                "gradient_checkpointing."
            )

    def _prepared(self) -> Path:
        """Make all ready for the first step; where the adapter goes. Raises ModelError."""
        job, facts, group = self._job, self._facts, self._group
        if missing := missing_extra():
            raise ModelError(missing)
        check_base(facts, self._weights)
        self._rows, rows_sha256 = read_rows(Path(job.rows))
        preferences = job.settings.method == "dpo"
        check_rows(
            self._rows,
            preferences=preferences,
            longest=min(job.settings.sequence_length, facts.context),
            vocab_size=facts.vocab_size,
        )
        self._train, self._held_out = of_kind(self._rows, preferences=preferences)
        settings = replace(job.settings, processes=group.size)
        self._settings = settings.complete(facts.embedding, len(self._train))
        place = check_place(self._out, facts.parts) if group.first else self._out
        origin = group.agreed(self._origin(rows_sha256) if group.first else Origin((), "", ""))
        self._checkpoints = Checkpoints(self._work, origin)
        last = self._checkpoints.last() if job.resume else None
        if last is not None:
            self._kept_step = last.step
        elif group.first:
            self._checkpoints.clear()
        self._estimate = self._estimated()
        self._say(Estimated(self._estimate))
        self._check_room()
        cores = max(1, (psutil.cpu_count(logical=False) or 1) // group.size)
        threads = job.threads or (1 if facts.parameters <= SMALL else cores)
        self._base = load_base(facts, self._weights, self._settings.precision, threads)
        self._refuse_another_reading(self._base)
        self._trainer = Trainer(
            self._base, self._rows, self._settings, self._checkpoints,
            self._convert, self._tell, self._control, group,
        )  # fmt: skip
        if last is not None:
            self._trainer.go_on_from(last)
        else:  # what cannot be converted is found before the first step
            self._try_conversion()
        self._say(self._begun())
        return place

    def _run(self, place: Path) -> Done | Failed | None:
        state = self._trainer.state
        try:
            why = self._trainer.run()
            if not state.step:
                return Failed("The training was stopped before its first step.")
            return self._finished(place, why) if self._group.first else None
        except Diverged as error:
            kept = f"the adapter of step {self._kept_step:,}" if self._kept_step else "nothing"
            return self._failed(
                f"The loss is no number any more at step {error.step}; {kept} is kept. Train with a "
                f"learning rate below {self._settings.learning_rate:g}."
            )
        except ModelError as error:
            return self._failed(str(error))

    def _finished(self, place: Path, why: str) -> Done:
        """Write the best adapter and its card."""
        state = self._trainer.state
        step, adapter = self._trainer.best()
        training = self._training(state, step)
        write_adapter(
            self._trainer.model, adapter, place, self._facts, training,
            name=self._job.name or self._out.stem, cache_dir=Path(self._job.cache_dir), work=self._work,
        )  # fmt: skip
        card = write_card(self._card(place, training, why, step))
        return Done(
            str(self._out), str(card), why, step, state.step, state.seconds, state.peak_bytes
        )

    def _failed(self, message: str) -> Failed:
        kept = str(self._checkpoints.converted(self._kept_step)) if self._kept_step else None
        return Failed(message, kept)

    def _begun(self) -> Begun:
        import torch

        state = self._trainer.state
        device = self._base.device
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
        name = name if self._group.size == 1 else f"{self._group.size} × {name}"
        return Begun(
            self._settings, state.step, self._settings.steps, self._trainer.parameters, name,
            "bf16" if self._base.dtype == torch.bfloat16 else "f32", list(state.losses), list(state.validations),
        )  # fmt: skip

    def _tell(self, report: Report) -> None:
        """Pass a report on, and the estimate once steps have been measured."""
        self._say(report)
        state = self._trainer.state
        if state.step == _MEASURED_AFTER and isinstance(report, Stepped):
            seconds = state.seconds / state.step * self._settings.steps
            peak = memory_peak(self._base.device, self._group)
            self._say(
                Estimated(
                    replace(self._estimate, seconds=seconds, memory_bytes=peak), measured=True
                )
            )

    # ------------------------------------------------------------ before the first step

    def _origin(self, rows_sha256: str) -> Origin:
        cache = Path(self._job.cache_dir)
        base, weights = (
            model_sha256(them, cache) for them in (self._facts.parts, weight_files(self._weights))
        )
        settings = replace(self._settings, processes=0)
        return Origin(settings.lines(), base, rows_sha256, weights)

    def _estimated(self) -> Estimate:
        """What this training will take, in the memory of the device that it computes on."""
        facts, settings, device = self._facts, self._settings, device_here()
        if device.type == "cpu":
            # each computes on threads of its own, and what one of them does is measured alone
            flops = self._group.agreed(measure_flops() if self._group.first else 0.0)
            return estimate(facts, settings, self._train, flops=flops * self._group.size)
        dtype = dtype_of(settings.precision, device, facts.parameters)
        return estimate(facts, settings, self._train, bytes_per_weight=dtype.itemsize, on_gpu=True)

    def _check_room(self) -> None:
        """Raise ModelError where memory does not suffice: that of each GPU, where there is one, and
        the machine's for all processes together, before any of them has taken more than it began
        with."""

        import torch

        device = device_here()
        if device.type == "cuda":
            check_room(self._estimate, torch.cuda.mem_get_info(device)[0], "the GPU's memory")
            if self._weights is None:
                self._group.check(lambda: check_reading(self._facts, self._group.size))
        else:
            self._group.check(lambda: check_room(self._estimate, processes=self._group.size))

    # ------------------------------------------------------------ what is written

    def _try_conversion(self) -> None:
        """Find out before the first step whether the adapter can be made a file."""
        state = self._trainer.state
        path = self._convert(state, state.adapter)
        if self._group.first:
            Path(path).unlink()

    def _convert(self, state: State, adapter: Tensors) -> str:
        path = self._checkpoints.converted(state.step)
        if self._group.first:
            write_adapter(
                self._trainer.model, adapter, path, self._facts, self._training(state, state.step),
                name=f"{self._job.name or self._out.stem} @ step {state.step}",
                cache_dir=Path(self._job.cache_dir), work=self._work,
            )  # fmt: skip
        self._kept_step = state.step
        return str(path)

    def _training(self, state: State, step: int) -> Training:
        """What the file says of the training: nothing that differs from run to run."""
        keys = {row.key for row in self._train}
        return Training(
            method=self._settings.method,
            rows=len(keys),
            tokens=state.tokens,
            steps=state.step or None,
            step=step or None,
            parameters=self._trainer.parameters,
            losses=tuple(state.losses),
            validations=tuple(state.validations),
            settings=self._settings.lines(),
            versions=tool_versions(),
            data_sha256=self._job.data_sha256,
            data_checks=self._job.data_checks,
            data_keys=self._job.data_keys,
        )

    def _card(self, place: Path, training: Training, why: str, step: int) -> Card:
        state = self._trainer.state
        return Card(
            adapter=place, base=self._facts, training=training, why=why, step=step,
            seconds=state.seconds, peak_bytes=state.peak_bytes, held_out=len(self._held_out),
            device=self._begun().device, precision=self._begun().precision,
            processes=self._group.size, on_gpu=self._base.device.type == "cuda",
        )  # fmt: skip

    # ------------------------------------------------------------ is it the same base?

    def _refuse_another_reading(self, base: Base) -> None:
        """Raise ModelError where transformers computes something else from the base than the engine."""

        import torch

        if not self._job.reference:
            return
        row = sequences(self._train[:1])[0]
        whole = TrainingRow(row.tokens, (True,) * len(row.tokens), row.key)
        layout = lay_out([whole]).to(base.device)
        with torch.no_grad():
            logits = base.model(input_ids=layout.ids, use_cache=False).logits[0, :-1].float()
        mine = logits.log_softmax(-1).gather(1, layout.ids[0, 1:, None])[:, 0].cpu()
        theirs = torch.tensor(self._job.reference)
        if len(mine) != len(theirs):
            raise ModelError("The reference is of another row than the first; make it again.")
        apart = (mine - theirs).abs().mean().item()
        if not apart <= _APART:
            raise ModelError(
                f"transformers reads {self._weights or self._facts.name} as another model than "
                f"llama.cpp does: log-probabilities are {apart:.2f} nats apart per token; train "
                "from the Hugging Face folder that the GGUF file was made of."
            )
