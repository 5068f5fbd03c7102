"""A headless Chromium of its own for a test, with nothing kept from another one."""

import contextlib
import shutil

import pytest

FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def require_chromium():
    """The paths of Chromium and its driver; fails with a sentence where they are missing."""
    found = shutil.which("chromium"), shutil.which("chromedriver")
    if None in found:
        pytest.fail(
            "Tests marked `browser` need Chromium and its driver: on Debian, `apt-get install -y "
            "chromium chromium-driver`.",
            pytrace=False,
        )
    return found


@contextlib.contextmanager
def chromium(folder):
    """Opens a browser whose profile is in `folder`, and which saves files in `folder`/downloads.

    Args:
        folder: `pathlib.Path`.
    """
    from selenium import webdriver

    binary, driver = require_chromium()
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    downloads = folder / "downloads"
    downloads.mkdir(parents=True)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        yield browser
    finally:
        browser.quit()


def look(browser, size=(1200, 860), dark=False, reduced_motion=False):
    """Sets how pages are seen.

    Args:
        browser: of `chromium`.
        size: (width, height) of what is seen of a page, in its pixels.
        dark: bool, whether the person prefers dark pages.
        reduced_motion: bool, whether the person prefers that nothing moves.
    """
    width, height = size
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [
        {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
        {
            "name": "prefers-reduced-motion",
            "value": "reduce" if reduced_motion else "no-preference",
        },
    ]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
