"""Many devices: the one place that knows `tf.distribute`.

N replicas with a share of the batch each compute the update of one device with the whole batch.
Three kinds of functions serve that:

- layers and losses ask for the rest of the batch, the training step for its share of it
  (`batch.py`): `gather_rows`, `mean_over_batch`, `mean_over_replicas`, `sum_over_replicas`,
  `draw_for_batch`, `own_rows`, `share_of_loss`;
- the training loop asks for every device, and on several workers for every process:
  `run_step`, `mean_over_steps`, `DeviceCopies` (`strategy.py`), `is_chief`, `on_any_worker`
  (`workers.py`);
- the command asks for the devices: `training_on` (`session.py`), with `strategy_from`
  (`devices.py`).

Outside a replica of several - on one device, in cross-replica context, on JAX and PyTorch - those
for layers and losses are identities: the batch at hand is the whole batch.

How the gradients come out right: every replica differentiates its own share of the loss,
`share_of_loss`, and the optimizer adds the gradients of all replicas. What crosses replicas is
differentiable: the gradient of a gathered row is the sum of what every replica made of it.
"""

from improved_gan_tf.distribution.batch import (
    CROSS_REPLICA,
    check_cross_replica,
    draw_for_batch,
    gather_rows,
    joint_minibatches,
    mean_over_batch,
    mean_over_replicas,
    own_rows,
    replica_count,
    share_of_loss,
    sum_over_replicas,
)
from improved_gan_tf.distribution.devices import (
    automatic_strategy,
    check_request,
    compiles_step,
    require_one_process,
    strategy_from,
    use_no_gpu,
)
from improved_gan_tf.distribution.session import training_on
from improved_gan_tf.distribution.strategy import (
    DeviceCopies,
    current_strategy,
    is_one_copy,
    mean_over_steps,
    num_replicas,
    run_step,
    scope,
    spans_workers,
)
from improved_gan_tf.distribution.workers import (
    is_chief,
    lost_workers,
    of_chief,
    on_any_worker,
    own_folder,
    require_same,
)

__all__ = [
    "CROSS_REPLICA",
    "DeviceCopies",
    "automatic_strategy",
    "check_cross_replica",
    "check_request",
    "compiles_step",
    "current_strategy",
    "draw_for_batch",
    "gather_rows",
    "is_chief",
    "is_one_copy",
    "joint_minibatches",
    "lost_workers",
    "mean_over_batch",
    "mean_over_replicas",
    "mean_over_steps",
    "num_replicas",
    "of_chief",
    "on_any_worker",
    "own_folder",
    "own_rows",
    "replica_count",
    "require_one_process",
    "require_same",
    "run_step",
    "scope",
    "share_of_loss",
    "spans_workers",
    "strategy_from",
    "sum_over_replicas",
    "training_on",
    "use_no_gpu",
]
