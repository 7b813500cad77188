"""The columns of a results file: name, dtype, unit and meaning, once, for writing, reading and documenting.

A results folder is a flat set of parquet files, one per trial, in long form: one row per value. Identity
and provenance repeat in every row (parquet stores a repeated value once), so that
`pandas.read_parquet("results/")` and DuckDB's `read_parquet('results/**/*.parquet')` need nothing else.

`record` says what a row is:

    score           one of G, C, mIoU, BF of one split at one iteration   (metric, split, iteration, protocol)
    class_score     accuracy, iou or boundary_f1 of one class             (metric, split, iteration, class_name)
    curve           training loss, images/s                               (metric, iteration)
    class_weight    the weight of one class in the loss                   (class_name)
    class_frequency pixels of one class / all pixels, void included, of the images that contain it,
                    which is what median frequency balancing uses         (class_name, split)
    cost            parameters, model size, time, memory, FLOPs           (metric, protocol)
    pass            one timed pass; iteration is its number               (metric, protocol, iteration)
    condition       the machine while a round was timed; iteration is the round   (metric, protocol, iteration)
    image_confusion pixels of one image labelled class_name, predicted predicted_class   (image, split)
    image_boundary  boundary pixels of one image and class                (metric, image, class_name, protocol)
    refinement      parameters of what refines the predictions, and how they were chosen   (metric)
    checkerboard    how much the trained model's output repeats with its upsampling: of a constant image, of
                    test images, and of their labels, to compare with     (metric, protocol: the period)
    outcome         one row in every file; value 1.0 when the trial is done, 0.0 when not

Scores of the test split are those of the selected iteration, of each budget that the trial's config names, and of
the iteration that the other selection metric would have chosen.

Rates are fractions 0 to 1. A value that does not exist (IoU of a class that never occurs) is NaN.
"""

from __future__ import annotations

from typing import NamedTuple

SCHEMA_VERSION = 3  # version 2 has no refinement; version 1 no determinism, resumptions, sources and protocols

# How a trial can end; it is stored whichever it is.
STATUSES = ("done", "failed", "out_of_memory", "killed", "diverged", "timed_out")


class Column(NamedTuple):
    """One column: arrow type, unit or allowed values, and what it means."""

    name: str
    dtype: str  # string | int64 | float64 | bool
    unit: str
    meaning: str


IDENTITY = (
    Column("trial", "string", "", "readable id, e.g. decoder-variants.mini.segnet_basic.median_frequency.s0"),
    Column(
        "digest", "string", "", "16 hex digits over everything that can change the numbers, declared or in the source"
    ),
    Column("suite", "string", "", "name of the suite in bench.yaml"),
    Column("profile", "string", "smoke|mini|paper", "at what scale the suite ran"),
    Column("kind", "string", "training|cost", "what the trial does"),
    Column("dataset", "string", "", "data set name"),
    Column("model", "string", "", "key of models.MODELS"),
    Column("weighting", "string", "", "loss weighting; null for a cost trial"),
    Column("seed", "int64", "", "study seed of the trial; null for a cost trial"),
)

VALUES = (
    Column("record", "string", "see above", "what this row is"),
    Column("metric", "string", "", "what was measured"),
    Column("split", "string", "train|val|test", "which images"),
    Column("iteration", "int64", "optimizer steps", "after how many steps; null where it means nothing"),
    Column("protocol", "string", "", "definition used: boundary F1 protocol, timing protocol, ..."),
    Column(
        "refinement",
        "string",
        "dense_crf",
        "what was made of the network's predictions; null: nothing, they are its own",
    ),
    Column("class_name", "string", "", "class of a per-class value (label side)"),
    Column("predicted_class", "string", "", "predicted class of a confusion count"),
    Column("image", "string", "", "image name of a per-image value"),
    Column("value", "float64", "see unit", "the value"),
    Column("unit", "string", "", "fraction, count, ms, MiB, ..."),
)

PROVENANCE = (
    Column("status", "string", "|".join(STATUSES), "how the trial ended"),
    Column("reason", "string", "", "why it did not end as done"),
    Column("selected_iteration", "int64", "optimizer steps", "the checkpoint that is reported"),
    Column("git_commit", "string", "", "commit of the code that ran"),
    Column("git_dirty", "bool", "", "whether tracked files differed from it"),
    Column("source_digest", "string", "", "digest over `sources`; in version 1 over all code that produces numbers"),
    Column("sources", "string", "JSON", "the source files that the numbers come from: {path: 8 hex digits}"),
    Column("protocols", "string", "JSON", "the protocols that the numbers follow: {name: version}"),
    Column("dataset_digest", "string", "", "digest of the pixels that were trained and tested on"),
    Column("config", "string", "JSON", "the trial's whole specification"),
    Column("device", "string", "cpu|cuda", "where it ran"),
    Column("device_name", "string", "", "processor or GPU model"),
    Column("threads", "int64", "", "threads torch used"),
    Column(
        "kernels",
        "string",
        "",
        "variants of torch's kernels (CPU capability, or CUDA and cuDNN), which round differently",
    ),
    Column("load_average", "float64", "processes", "1-minute load average at the start"),
    Column("precision", "string", "fp32|tf32|bf16", "arithmetic of the training"),
    Column("channels_last", "bool", "", "memory format"),
    Column("determinism", "string", "off|seeded|strict", "how far repeats are the same"),
    Column("python", "string", "", "version"),
    Column("torch", "string", "", "version"),
    Column("torchvision", "string", "", "version"),
    Column("numpy", "string", "", "version"),
    Column("platform", "string", "", "operating system and machine"),
    Column("bench_version", "string", "", "version of this package"),
    Column("schema_version", "int64", "", "version of these columns in which the trial was stored"),
    Column("started_at", "string", "UTC, ISO 8601", "start"),
    Column("duration_s", "float64", "s", "wall time of the whole trial"),
    Column("resumptions", "string", "", "iterations at which the training was taken up again, and what had changed"),
)

COLUMNS = IDENTITY + VALUES + PROVENANCE

# Metrics of `cost` rows and their unit. A time comes with _p25, _p75 (ms) and _n (count) beside its centre, which is a
# median or, under the paper's protocols, a mean. It is that of the wall clock, or with _device_ that of the GPU's.
COST_METRICS = {
    "parameters": "count",
    "model_size_mb": "MB",
    "storage_multiplier": "ratio",
    "stored_encoder_mib": "MiB",
    "forward_flops": "FLOP",
    "forward_ms": "ms",
    "backward_ms": "ms",
    "forward_device_ms": "ms",
    "backward_device_ms": "ms",
    "forward_energy_j": "J",
    "inference_peak_mib": "MiB",
    "training_peak_mib": "MiB",
    "process_baseline_mib": "MiB",  # resident set before the model is built; part of the two peaks above
}

TIMES = tuple(metric for metric, unit in COST_METRICS.items() if unit == "ms")

# Metrics of `condition` rows and their unit (see profiling/conditions.py).
CONDITIONS = {
    "begun": "s",  # since 1970: rounds of several models took turns if they began one between the other
    "load_average": "processes",
    "others_share": "fraction",  # processor time that others took, of all processors
    "clock_mhz": "MHz",
    "memory_clock_mhz": "MHz",
    "temperature_c": "°C",
    "power_w": "W",
    "throttled": "fraction",  # 0 or 1: heat or power lowered the GPU's clock
    "other_processes": "count",  # on the GPU
    "forward_warmup_passes": "count",
    "forward_warmup_steady": "fraction",  # 0 or 1: the passes had stopped getting faster
    "backward_warmup_passes": "count",
    "backward_warmup_steady": "fraction",
}

# Metrics of `refinement` rows (evaluation/dense_crf.py) and of `checkerboard` rows (evaluation/checkerboard.py), and
# their unit.
REFINEMENT_METRICS = {
    "w1": "",
    "w2": "",
    "theta_alpha": "px",
    "theta_beta": "levels",
    "theta_gamma": "px",
    "search_mean_iou": "fraction",  # on the training images of the search
    "search_images": "count",
    "search_choices": "count",
}
CHECKERBOARD_METRICS = {
    "contrast_constant": "fraction",
    "energy_images": "fraction",
    "energy_labels": "fraction",
}

IMAGE_RECORDS = ("image_confusion", "image_boundary")  # of single images: nine rows in ten

BOUNDARY_METRICS = ("predicted_pixels", "label_pixels", "matched_predicted", "matched_label")
