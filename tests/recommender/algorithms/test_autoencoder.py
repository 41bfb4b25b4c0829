import pytest

from recommender.algorithms import get
from recommender.evaluation import paired_bootstrap
from tests.recommender.algorithms.deep_data import gains, tastes

pytest.importorskip("torch")


def test_it_beats_popularity_where_tastes_differ():
    known, targets = tastes()
    model = get("autoencoder")(dimensions=16, epochs=60).fit(known)
    popular = get("popular")().fit(known)
    assert paired_bootstrap(gains(model, known, targets), gains(popular, known, targets)).low > 0.05


def test_the_order_of_a_history_does_not_matter():
    model = get("autoencoder")(dimensions=8, epochs=1).fit(tastes()[0])
    one, other = model.recommend_for([[1, 2, 3], [3, 2, 1]], 20)[0]
    assert one.tolist() == other.tolist()


def test_the_divergence_is_that_of_the_formula():
    """Kingma and Welling (2014), appendix B: ½ Σ (μ² + σ² − 1 − log σ²), here from torch's distributions."""
    torch = pytest.importorskip("torch")
    network = get("autoencoder")(dimensions=3, dropout=0.0)._build(5).eval()
    items, starts = torch.tensor([0, 1, 4, 2]), torch.tensor([0, 3])
    mean, log_variance = network._encode(items, starts)
    code, standard = (
        torch.distributions.Normal(mean, (log_variance / 2).exp()), torch.distributions.Normal(0.0, 1.0)
    )  # fmt: skip
    expected = torch.distributions.kl_divergence(code, standard).sum(dim=1).mean()
    losses = []
    for weight in (0.0, 1.0):
        torch.manual_seed(3)
        losses.append(network.loss(items, starts, weight))
    assert (losses[1] - losses[0]).item() == pytest.approx(expected.item(), abs=1e-5)
