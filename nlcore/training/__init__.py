"""From a run to its record: the split, the batches, the loop, checkpoints."""
