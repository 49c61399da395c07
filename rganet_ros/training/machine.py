"""Where a training runs: one CPU, one GPU, or processes on many machines."""

from __future__ import annotations

import os

from lightning_fabric import Fabric
import torch

ACCELERATORS = ('auto', 'cpu', 'cuda')


def open_fabric(accelerator='auto', devices=1, nodes=1) -> Fabric:
    """
    Choose the processes of a training, and start the others; ValueError where a GPU is missing.

    Where torchrun started this process, its numbers count and not the ones given. Fabric does the
    starting, the joining and the averaging of gradients (DistributedDataParallel), and nothing
    else: its mixed precision would round inputs too, and depth does not survive that.
    """
    if 'TORCHELASTIC_RUN_ID' in os.environ:
        devices = int(os.environ['LOCAL_WORLD_SIZE'])
        nodes = int(os.environ['WORLD_SIZE']) // devices
    there = torch.cuda.device_count()
    if accelerator == 'auto':
        accelerator = 'cuda' if there else 'cpu'
    if accelerator == 'cuda' and there < devices:
        have = f'{there} GPU{"s" * (there != 1)}' if there else 'no GPU'
        raise ValueError(
            f'{devices} GPU{"s" * (devices != 1)} asked for, but torch {torch.__version__} sees '
            f'{have}: ask for what is there (--accelerator, --devices) or install torch for CUDA'
        )
    if accelerator == 'cuda':
        torch.backends.cudnn.benchmark = True  # pictures are of one size
        torch.set_float32_matmul_precision('high')
    strategy = 'ddp' if devices * nodes > 1 else 'auto'
    fabric = Fabric(accelerator=accelerator, strategy=strategy, devices=devices, num_nodes=nodes)
    fabric.launch()
    return fabric


def processes_here(fabric: Fabric) -> int:
    """Count the processes of the training on this machine."""
    return getattr(fabric.strategy, 'num_processes', 1)


def default_workers(fabric: Fabric) -> int:
    """Say how many processes draw batches: none beside a CPU that computes, else most cores."""
    cores = len(os.sched_getaffinity(0))
    return 0 if fabric.device.type == 'cpu' else max(cores // fabric.world_size - 1, 1)
