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
            "chromium chromium-driver`."
        )
    return found


@contextlib.contextmanager
def chromium(folder, size=(1200, 900), dark=False, reduced_motion=False):
    """Opens a browser that downloads into `folder`.

    Args:
        folder: `pathlib.Path`, made if it is not there; the browser's profile is in it, too.
        size: (width, height) of what is seen of a page, in its pixels.
        dark: bool, whether the person prefers dark pages.
        reduced_motion: bool, whether the person prefers that nothing moves.
    """
    from selenium import webdriver

    binary, driver = require_chromium()
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    downloads = folder / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(driver))
    try:
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        if reduced_motion:
            features.append({"name": "prefers-reduced-motion", "value": "reduce"})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        yield browser
    finally:
        browser.quit()
