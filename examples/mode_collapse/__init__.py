"""Mode collapse on Gaussians by the published protocol of PacGAN, with each technique of the paper.

    python -m examples.mode_collapse --problem=grid --technique=minibatch_discrimination

`problems` has the data and what is measured, `networks` the two players, `techniques` what each
technique changes, `losses` what the players minimise, `training` one trial, `results` the file of
each trial, `tables` and `pictures` what is made of them, `__main__` the command.

Protocol: Lin, Khetan, Fanti, Oh (2018), "PacGAN: The power of two samples in generative adversarial
          networks", Sec. 4.1; the authors' code fjxmlzn/PacGAN, synthetic_data_experiments.
Techniques: Salimans et al. (2016), Sec. 3.
"""
