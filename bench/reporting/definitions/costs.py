"""What the costs mean, as data: size, storage, time, memory, energy, and the marks on a measurement."""

from __future__ import annotations

from bench.reporting.definitions.scores import Definition

SIZE, TIME, TIME_PROTOCOLS = "Size, storage and work", "Time", "Time protocols"
MEMORY, MEMORY_KINDS, ENERGY, MARKS = "Memory", "Memory kinds", "Energy", "Marks"

_SPREAD = "Comes with the lower and upper quartile and the number of passes n."
_WALL = "Wall time from an idle device to an idle device, so what the host needs to start the work is in it."
_DEVICE = "The time between two CUDA events around the pass: the device's own clock, without the host."

SIZES = (
    Definition(
        "parameters", "Parameters", SIZE,
        "Learnable numbers of the network, with the scales and shifts of batch norm and the classifier's bias.",
        edge_cases="Batch-norm means and variances and fixed bilinear kernels are not learnable and not in it.",
        source="paper Table 1, which prints millions and does not say what is counted.",
    ),
    Definition(
        "model_size_mb", "Model size", SIZE,
        "The weights and batch-norm statistics as fp32 on disk, in MB of 10^6 bytes.",
        formula="4 bytes x (parameters + batch-norm means and variances)",
        source="paper Table 6: size of the model file on disk.",
        deviation="Computed from the number of values; the header of a file format is not in it.",
    ),
    Definition(
        "storage_multiplier", "Storage multiplier, as printed", SIZE,
        "What the decoder keeps of the first encoder stage, as the paper counts it: 0 nothing, 1 pooling indices, K "
        "reduced maps (11 on CamVid), 64 full maps.",
        divides_by="The pooling indices of the first stage, which are 1.",
        edge_cases="A variant that keeps maps and indices is counted by its maps.",
        source="paper §3.1, §3.3, Table 1.",
        deviation="The printed 1 : 11 : 64 compares maps at 180x240 with indices counted at 90x120. At one resolution "
        "it is 1 : 2.75 : 16; see stored_encoder_mib.",
    ),
    Definition(
        "stored_encoder_mib", "Stored encoder information", SIZE,
        "The real memory for the same information, at the resolution after the first pooling.",
        formula="indices: 64 channels x 2 bits; reduced maps: K x 32 bits; full maps: 64 x 32 bits; each per position",
        divides_by="8 bits a byte, 2^20 bytes a MiB.",
        edge_cases="A variant that keeps maps and indices stores both, and both are added.",
        source="paper §3.1 (2 bits for each 2x2 window).",
        deviation="Indices and maps are counted at one resolution: 1 : 2.75 : 16 for 11 classes, where the paper "
        "prints 1 : 11 : 64.",
    ),
    Definition(
        "forward_flops", "FLOPs of the forward pass", SIZE,
        "Floating-point operations of one forward pass of one image. A multiply-add is 2 operations; only convolutions "
        "and matrix products are counted.",
        edge_cases="Pooling, unpooling, batch norm, activations and additions of maps are not counted.",
        source="other: PyTorch's FlopCounterMode. The paper prints none.",
        also=("flops",),
    ),
)  # fmt: skip

TIMES = (
    Definition(
        "forward_ms", "Forward time", TIME,
        f"One image through the network in eval mode, without gradients, as at test time. {_WALL} {_SPREAD}",
        source="paper §3.3, Table 1 and Table 6; the protocol says which.",
        deviation="The paper does not state the precision; here it stands beside the number.",
    ),
    Definition(
        "backward_ms", "Backward time", TIME,
        "The gradients of the sum of the logits of one image with respect to all weights, in training mode. The "
        f"forward pass and the weight update are not in it. {_WALL} {_SPREAD}",
        source="paper Table 6, through the `caffe time` command.",
    ),
    Definition(
        "forward_device_ms", "Forward time on the device", TIME,
        f"The forward pass by the device's clock. {_DEVICE} {_SPREAD}",
        edge_cases="Absent on a processor, which has only the wall clock.",
        source="other: CUDA events.",
    ),
    Definition(
        "backward_device_ms", "Backward time on the device", TIME,
        f"The backward pass by the device's clock. {_DEVICE} {_SPREAD}",
        edge_cases="Absent on a processor, which has only the wall clock.",
        source="other: CUDA events.",
    ),
    Definition(
        "interleaved", "Time protocol interleaved (default)", TIME_PROTOCOLS,
        "Warm-up until passes no longer get faster, then 3 rounds of 30 passes; of 5 where `timing` of a run in "
        "bench.yaml says so, since a pass takes seconds there: suite cost on a processor. Each round is a fresh "
        "process, and the rounds of the models of a suite take turns, so that a slow hour of the machine hits all "
        "models alike. Forward in eval mode without gradients; backward alone. The median, quartiles and n of all "
        "passes are reported.",
        divides_by="Nothing: a median over all passes of all rounds, 90 of them, or 15.",
        source="other: a protocol of this project.",
        deviation="Not the paper's. The median is reported because one slow pass moves a mean.",
    ),
    Definition(
        "table-1", "Time protocol table-1", TIME_PROTOCOLS,
        "The mean of 50 forward passes of one image (batch 1), in a row, in one process, after the same warm-up.",
        divides_by="50 passes.",
        source="paper §3.3: 50 passes at 360x480 on an NVIDIA Titan with cuDNN v3.",
        deviation="Another machine and other kernels than the paper's: times compare between models, not with it. The "
        "paper's unpooling layers did not use cuDNN.",
    ),
    Definition(
        "table-6", "Time protocol table-6", TIME_PROTOCOLS,
        "The mean of 10 forward and the mean of 10 backward passes of one image (batch 1), in a row, in one process, "
        "after the same warm-up. Training memory at batch 4, inference memory at batch 1.",
        divides_by="10 passes.",
        source="paper §4.3 and Table 6: `caffe time` with 10 iterations, memory by nvidia-smi. The GPU is not named.",
        deviation="As table-1; of the memory kinds below, device_process is what nvidia-smi shows.",
    ),
)  # fmt: skip

MEMORIES = (
    Definition(
        "inference_peak_mib", "Inference peak memory", MEMORY,
        "The highest memory in use during a forward pass without gradients at batch 1, reset before it. The kind and "
        "the image size are part of the number.",
        source="paper Table 6: inference memory at batch 1.",
    ),
    Definition(
        "training_peak_mib", "Training peak memory", MEMORY,
        "The highest memory in use during two training steps (forward, loss, backward, update), reset before them: the "
        "second step has the optimizer's memory as well. Kind, batch and image size are part of the number.",
        source="paper Table 6: training memory at batch 4, here under table-6; else the batch of the suite.",
    ),
    Definition(
        "process_baseline_mib", "Process baseline", MEMORY,
        "The highest resident set of the process before the model is built: Python, libraries and their buffers. It is "
        "part of the two peaks where these are of the kind resident_set.",
        source="other: a value of this project.",
    ),
    Definition(
        "resident_set", "Memory kind resident_set", MEMORY_KINDS,
        "The process in the machine's main memory: the high-water mark of its resident set, reset before the work.",
        edge_cases="Where the system cannot reset the mark it is named resident_set_since_start: the highest value "
        "since the process began. Memory that was freed but not given back stays in it.",
        source="other: VmHWM of Linux, getrusage elsewhere.",
        also=("resident_set_since_start",),
    ),
    Definition(
        "cuda_allocated", "Memory kind cuda_allocated", MEMORY_KINDS,
        "What PyTorch's tensors took on the GPU, at the peak.",
        edge_cases="Without caches, fragments, CUDA's context and libraries, so it is the smallest of the three.",
        source="other: torch.cuda.max_memory_allocated.",
    ),
    Definition(
        "cuda_reserved", "Memory kind cuda_reserved", MEMORY_KINDS,
        "What PyTorch took from the GPU for its tensors, caches and fragments included, at the peak.",
        source="other: torch.cuda.max_memory_reserved.",
    ),
    Definition(
        "device_process", "Memory kind device_process", MEMORY_KINDS,
        "What the process took from the GPU as the driver sees it: cuda_reserved, CUDA's context and libraries.",
        edge_cases="Absent where the driver does not know the process by its number, as in some containers.",
        source="other: NVML, which nvidia-smi reads; the paper's Table 6 was read from nvidia-smi.",
    ),
)  # fmt: skip

CONDITIONS = (
    Definition(
        "forward_energy_j", "Energy of a forward pass", ENERGY,
        "The energy that the whole GPU took while forward passes ran in a row for at least 3 s, per pass. What the "
        "processor and the rest of the machine took is not in it.",
        divides_by="The number of passes between the two readings of the counter.",
        edge_cases="Absent on a processor and where the GPU has no energy counter. Idle power of the GPU is in it.",
        source="other: the energy counter of NVML. The paper prints none.",
        also=("energy", "energy_j"),
    ),
    Definition(
        "disturbed", "Mark ‡", MARKS,
        "Something got into a time, in at least one round. Busy: other programs took more than 5 % of the processors' "
        "time, or used the GPU. Throttled: the GPU lowered its clock because of heat or of its power limit. Unsteady: "
        "the warm-up ended after 60 passes although they were still getting faster.",
        edge_cases="The time is shown with its reason, never left out. Over less than 0.3 s nothing is known of "
        "others. A clock that was set by hand, or an idle device, is no throttling. A window of 3 passes is steady if "
        "its median is at least 97 % of that of the window before.",
        source="other: processor time of other processes (/proc/stat), and the sensors of the GPU (NVML).",
        also=("busy", "throttled", "unsteady", "‡"),
    ),
)  # fmt: skip

COSTS = SIZES + TIMES + MEMORIES + CONDITIONS
