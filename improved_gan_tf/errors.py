"""Mistakes that a user can mend: shown as one paragraph, without a traceback."""


class UserError(Exception):
    """Something about the command, its data or its folders is not as it has to be.

    The message says what is wrong, what is expected, and what was received. Run scripts print
    it and exit with code 2; nothing has been trained or overwritten by then.
    """


class DivergedError(Exception):
    """Training produced a loss that is not finite; the run stopped at that iteration."""
