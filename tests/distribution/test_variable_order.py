"""TensorFlow's rewriting of each game's graph keeps the order of all reads and writes.

Where it does not, an update may come before a read that was to come first: rarely, and with
numbers that look right. See `support/variable_order.py`.
"""

import pytest
import tensorflow as tf

from improved_gan_tf import distribution
from improved_gan_tf.training.trainer import GameTrainer
from tests.distribution import players, test_biggan_training, test_dcgan_games, test_joint_training
from tests.support.dcgan_games import settings
from tests.support.variable_order import lost_orders

pytestmark = pytest.mark.slow

REPLICAS = pytest.mark.parametrize("replicas", [None, 2], ids=["alone", "two replicas"])


@pytest.fixture
def graphs(monkeypatch):
    """The training graphs made from here on, a list."""
    found, graph_for = [], GameTrainer._graph_for

    def recorded(self, *inputs):
        graph = graph_for(self, *inputs)
        found.append(graph)
        return graph

    monkeypatch.setattr(GameTrainer, "_graph_for", recorded)
    return found


def assert_order_is_kept(graph, at_least=50):
    checked, lost = lost_orders(graph)
    assert lost == []
    assert checked > at_least  # of reads and writes: there was something to lose


@REPLICAS
@pytest.mark.parametrize("game", test_dcgan_games.GAMES)
def test_of_dcgans_games(game, replicas, graphs):
    objective, changes = test_dcgan_games.GAMES[game]
    test_dcgan_games.trained(settings(objective, **changes), replicas)
    assert_order_is_kept(graphs[0].get_concrete_function())


@REPLICAS
@pytest.mark.parametrize("experiment", players.EXPERIMENTS)
def test_of_the_papers_games(experiment, replicas, graphs):
    strategy = replicas and distribution.strategy_from("mirrored", replicas, None, players.BATCH)
    techniques = {"historical_averaging_weight": 5.0, "reference_size": 6}
    players.train(experiment, strategy, iterations=1, **techniques)
    assert_order_is_kept(graphs[0].get_concrete_function())


@REPLICAS
def test_of_the_imagenet_game(replicas, graphs):
    test_joint_training.trained(replicas, iterations=1)
    assert_order_is_kept(graphs[0].get_concrete_function())


@REPLICAS
def test_of_biggan(replicas, graphs):
    test_biggan_training.trained(replicas)
    assert_order_is_kept(graphs[0].get_concrete_function())


@pytest.mark.parametrize("waits", [False, True])
def test_the_fault_itself_and_its_mend(waits):
    """A gradient that does not need its variable, passed on together with another's."""
    used, unused = tf.Variable(tf.ones(3)), tf.Variable(tf.ones(3))

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum((x * used) ** 2 * tf.stop_gradient(unused) + x * unused)
        gradients = tape.gradient(loss, [used, unused])
        with tf.control_dependencies([loss] if waits else []):
            gradients = [tf.identity(g) for g in gradients]
        for variable, gradient in zip((used, unused), tf.identity_n(gradients), strict=True):
            variable.assign_sub(gradient)

    checked, lost = lost_orders(step.get_concrete_function(tf.TensorSpec(3)))
    assert checked == 3
    assert [later for _, _, later in lost] == ([] if waits else ["AssignSubVariableOp_1"])
