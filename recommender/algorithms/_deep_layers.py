"""Parts of the deep networks. Imports torch: to be imported only inside functions, after `load_torch`."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

# Rows of logits handled at once: they stay in the cache, which makes the loss four times faster than
# torch's own cross_entropy over all logits, and memory does not grow with the batch.
SOFTMAX_ROWS = 128


class _SoftmaxLoss(torch.autograd.Function):
    """Mean cross-entropy of hidden @ items.T + bias against targets, its gradients found on the way."""

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, items: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
        hidden_grad, items_grad = torch.empty_like(hidden), torch.zeros_like(items)
        bias_grad = torch.zeros_like(bias)
        n, total = len(hidden), hidden.new_zeros(())
        for start in range(0, n, SOFTMAX_ROWS):
            rows = hidden[start : start + SOFTMAX_ROWS]
            wanted = targets[start : start + SOFTMAX_ROWS, None]
            logits = torch.addmm(bias, rows, items.T)
            logits -= logits.amax(dim=1, keepdim=True)
            total -= logits.gather(1, wanted).sum()
            sums = logits.exp_().sum(dim=1, keepdim=True)
            total += sums.log().sum()
            logits /= sums * n
            logits.scatter_add_(1, wanted, logits.new_full(wanted.shape, -1 / n))
            torch.mm(logits, items, out=hidden_grad[start : start + SOFTMAX_ROWS])
            items_grad.addmm_(logits.T, rows)
            bias_grad += logits.sum(dim=0)
        ctx.save_for_backward(hidden_grad, items_grad, bias_grad)
        return total / n

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        hidden_grad, items_grad, bias_grad = ctx.saved_tensors
        return hidden_grad * grads[0], items_grad * grads[0], bias_grad * grads[0], None


def softmax_loss(hidden: Tensor, items: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
    """Mean over rows of −log softmax(hidden @ itemsᵀ + bias)[target], over all items."""
    loss: Tensor = _SoftmaxLoss.apply(hidden, items, bias, targets)
    return loss


def normalized_bags(table: Tensor, items: Tensor, starts: Tensor, *, dropout: float = 0.0) -> Tensor:
    """Sum of each row's vectors over the root of their number, entries dropped with that chance before."""
    rows = rows_of(items, starts)
    weights = torch.bincount(rows, minlength=len(starts)).to(table.dtype).rsqrt()[rows]
    weights = functional.dropout(weights, dropout, dropout > 0)
    return functional.embedding_bag(items, table, starts, mode="sum", per_sample_weights=weights)


def bag_loss(logits: Tensor, items: Tensor, starts: Tensor) -> Tensor:
    """Mean over all wanted items of −log softmax(logits of their row)."""
    return -(functional.log_softmax(logits, dim=1)[rows_of(items, starts), items]).mean()


def pool_loss(logits: Tensor, own: Tensor, rows: Tensor, places: Tensor) -> Tensor:
    """Mean over positives (rows[i], places[i]) of −log softmax within a pool of items (InfoNCE).

    `logits` float32[n, pool]; `own` marks what the row's user has: no negatives.
    """
    wanted = logits[rows, places]
    others = logits.masked_fill(own, -torch.inf).logsumexp(dim=1)[rows]
    return (torch.logaddexp(wanted, others) - wanted).mean()


def rows_of(items: Tensor, starts: Tensor) -> Tensor:
    lengths = torch.diff(torch.cat([starts, starts.new_tensor([len(items)])]))
    return torch.repeat_interleave(torch.arange(len(starts)), lengths)
