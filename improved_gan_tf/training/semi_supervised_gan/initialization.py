"""Data-dependent initialisation of both players, once, before their first step."""

from improved_gan_tf.layers.data_dependent import initialize_from_data, layers_to_initialize


def initialize_players(game, images, batch_size, discriminator=True, generator=True):
    """Sets scales and biases of all layers that initialise themselves, as the run scripts do.

    Args:
        game: `training.semi_supervised.Trainer` that has made no step.
        images: real images (M, H, W, C), for the discriminator.
        batch_size: int, images that the generator makes for its own initialisation.
        discriminator: bool, whether the discriminator is initialised.
        generator: bool, whether the generator is.

    Returns:
        A sentence that says what was done; None if there was nothing to do.

    Raises:
        ValueError: some unit does not vary over the images.
    """
    players = ((game.discriminator, discriminator), (game.generator, generator))
    counts = [len(layers_to_initialize(player)) if asked else 0 for player, asked in players]
    # In the run scripts' order, for their bits.
    if counts[0]:
        initialize_from_data(game.discriminator, images)
    for history in (game.discriminator_history, game.generator_history):
        if history is not None:
            history.begin()
    if counts[1]:
        initialize_from_data(game.generator, game.draw_z(batch_size))
    if not any(counts):
        return None
    return (
        f"Data-dependent initialisation from {len(images)} images, once: scales and biases of "
        f"{counts[0]} layers of the discriminator, {counts[1]} of the generator."
    )
