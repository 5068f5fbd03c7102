"""What TensorFlow's long errors say, in one line."""

import re


def reason(error):
    """The line of a long TensorFlow error that says what happened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if "ollective" in line and "aborted" in line]
    line = (telling or lines or [type(error).__name__])[0]
    return re.sub(r"^\{\{.*?\}\}\s*", "", line)[:300].rstrip(" :.") + "."
