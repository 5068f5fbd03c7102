"""`python -m improved_gan_tf COMMAND ...`, the same as `improved-gan COMMAND ...`."""

from improved_gan_tf.program import main

if __name__ == "__main__":
    main()
