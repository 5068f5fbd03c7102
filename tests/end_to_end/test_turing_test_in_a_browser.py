"""The page of the visual Turing test in Chromium: a scripted person answers, the votes are those.

Run with `-m browser`; on Debian, `apt-get install chromium chromium-driver` brings the browser.
"""

import hashlib
import json
import time

import numpy as np
import pytest

from improved_gan_tf.scoring import human_evaluation, votes
from tests.support import browsers
from tests.support.written_votes import write_page

pytestmark = pytest.mark.browser

LEFT, RIGHT, ENTER = "\ue012", "\ue014", "\ue007"
KEYS = {"real": (LEFT, "r", "R"), "generated": (RIGHT, "g", "G")}
PAUSE = 0.17  # seconds; faster answers are taken for the second click of a double click
SIZES = {"desk": (1200, 860), "phone": (390, 844)}


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    """`(browser, folder of its downloads)`, one browser for all tests."""
    folder = tmp_path_factory.mktemp("browser")
    with browsers.chromium(folder) as opened:
        yield opened, folder / "downloads"


@pytest.fixture
def browser(window):
    """The browser, which remembers nothing of another test."""
    opened, downloads = window
    browsers.look(opened)
    for log in ("browser", "performance"):
        opened.get_log(log)
    yield opened
    opened.execute_script("localStorage.clear();")
    assert list(downloads.iterdir()) == []


def find(browser, selector):
    return browser.find_element("css selector", selector)


def is_shown(browser, selector):
    return any(e.is_displayed() for e in browser.find_elements("css selector", selector))


def text(browser, selector):
    return find(browser, selector).text


def press(browser, key):
    browser.switch_to.active_element.send_keys(key)


def start(browser, page, person=""):
    browser.get((page.path / votes.PAGE_NAME).resolve().as_uri())
    find(browser, "#person").send_keys(person)
    find(browser, "#begin button").click()
    time.sleep(PAUSE)


def say(browser, image, answer, by):
    """Answers an image by a key or a click."""
    if by == "click":
        buttons = browser.find_elements("css selector", f"[data-answer={answer}]")
        labels = [b.get_attribute("aria-label") for b in buttons]
        at = 0 if len(buttons) == 1 else labels.index(f"Image {image}: {answer}")
        buttons[at].click()
    else:
        press(browser, KEYS[answer][image % 3])
    time.sleep(PAUSE)


def answer_all(browser, page, answers, by):
    """Answers every image; `by(image)` is "key" or "click"."""
    for image, answer in enumerate(answers, 1):
        if is_shown(browser, "#next"):
            press(browser, ENTER)  # it has the focus
            time.sleep(PAUSE)
        say(browser, image, answer, by(image))
    if is_shown(browser, "#next"):
        find(browser, "#next").click()


def saved(window, page):
    """Saves the votes; the file, moved beside the page."""
    browser, downloads = window
    find(browser, "#save").click()
    for _ in range(100):
        files = list(downloads.glob(votes.VOTES_PATTERN))
        if files:
            return files[0].rename(page.path / files[0].name)
        time.sleep(0.05)
    pytest.fail("no file of votes was saved")


def answers_of(page, wrong):
    """What a person says who is wrong on some images, by their numbers."""
    said = page.is_generated ^ np.isin(np.arange(1, len(page.is_generated) + 1), wrong)
    return ["generated" if generated else "real" for generated in said]


def requests(browser):
    """Schemes of the addresses that the page has asked for."""
    messages = [json.loads(e["message"])["message"] for e in browser.get_log("performance")]
    sent = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    return {
        request["request"]["url"].split(":")[0]
        for request in sent
        if not request["documentURL"].startswith("chrome:")  # the browser's own first page
    }


@pytest.mark.parametrize("images_at_once", [1, 9], ids=["one", "nine"])
@pytest.mark.parametrize("feedback", [True, False], ids=["told", "not-told"])
def test_the_file_of_votes_is_what_a_person_answered(
    browser, window, tmp_path, images_at_once, feedback
):
    page = write_page(tmp_path / "page", feedback=feedback, images_at_once=images_at_once)
    answers = answers_of(page, wrong=(2, 3, 11, 17, 20))
    start(browser, page, person="Ana Ćosić")
    # By keys and by clicks, ten of each.
    answer_all(browser, page, answers, lambda image: "click" if image % 2 else "key")
    assert text(browser, "#result-title") == "You were right on 15 of 20 images"
    share = human_evaluation.wilson(15, 20)
    interval = f"95 % interval: {100 * share.low:.1f} to {100 * share.high:.1f} %."
    assert text(browser, "#meaning").startswith(interval)
    is_generated = page.is_generated
    wrong = np.isin(np.arange(20), np.array([2, 3, 11, 17, 20]) - 1)
    rows = [r.text for r in browser.find_elements("css selector", "#numbers tr")]
    assert rows[:2] == [
        f"Real images that you called generated {sum(wrong & ~is_generated)} of "
        f"{sum(~is_generated)}",
        f"Generated images that you called real {sum(wrong & is_generated)} of {sum(is_generated)}",
    ]
    assert len(browser.find_elements("css selector", "#mistakes li")) == 5
    path = saved(window, page)
    copied = find(browser, "#text").get_property("value")
    assert requests(browser) <= {"file", "data", "blob"}
    assert browser.get_log("browser") == []
    assert path.name.startswith("votes-ana-osi-")
    assert copied == path.read_text("utf-8")
    content = json.loads(path.read_text("utf-8"))
    assert content["person"] == "Ana Ćosić"
    said = {vote["image"]: vote["answer"] for vote in content["votes"]}
    assert [said[image] for image in range(1, 21)] == answers
    counted = votes.tally([path])
    assert counted.pooled == human_evaluation.tally(
        page.is_generated, [answer == "generated" for answer in answers]
    )
    assert counted.persons[0].milliseconds.min() >= 150  # faster ones are no answers


def test_feedback_is_given_only_when_it_is_asked_for(browser, tmp_path):
    told, quiet = (
        write_page(tmp_path / name, feedback=feedback)
        for name, feedback in (("told", True), ("quiet", False))
    )
    start(browser, told)
    say(browser, 1, answers_of(told, [])[0], "key")
    assert text(browser, "#verdict") == "✓ Right: image 1 is generated."
    assert text(browser, "#so-far") == "1 of 1 right"
    say(browser, 2, answers_of(told, [2])[1], "click")
    assert text(browser, "#verdict") == "✗ Wrong: image 2 is generated."
    assert find(browser, "#spoken").get_property("textContent") == (
        "Wrong: image 2 is generated. Image 3 of 20."
    )
    start(browser, quiet)
    say(browser, 1, "real", "key")
    assert text(browser, "#trial") == "Image 2 of 20\n←Real\nGenerated→"
    spoken = find(browser, "#spoken").get_property("textContent")
    assert spoken == "Image 1: you said real. Image 2 of 20."


def test_a_reload_loses_nothing_and_another_person_starts_anew(browser, window, tmp_path):
    page = write_page(tmp_path / "page", num_images=6)
    answers = answers_of(page, [])
    start(browser, page, "Ana")
    for image in (1, 2, 3):
        say(browser, image, answers[image - 1], "key")
    browser.refresh()
    assert text(browser, "#progress-text") == "Image 4 of 6"
    time.sleep(PAUSE)
    for image in (4, 5, 6):
        say(browser, image, answers[image - 1], "key")
    browser.refresh()
    assert text(browser, "#result-title") == "You were right on 6 of 6 images"
    first = saved(window, page)
    find(browser, "#again").click()
    browser.switch_to.alert.accept()
    find(browser, "#person").send_keys("Ben", ENTER)
    time.sleep(PAUSE)
    answer_all(browser, page, answers_of(page, [1]), lambda image: "key")
    second = saved(window, page)
    counted = votes.tally([first, second])
    assert [
        (p.person, t.right.count) for p, t in zip(counted.persons, counted.by_person, strict=True)
    ] == [
        ("Ana", 6),
        ("Ben", 5),
    ]


def test_only_deliberate_keys_and_clicks_are_answers(browser, tmp_path):
    page = write_page(tmp_path / "page")
    start(browser, page, "grgr")  # the name is no answer
    assert text(browser, "#progress-text") == "Image 1 of 20"
    for key in ("x", " ", "\ue013", "\ue015"):
        press(browser, key)
    assert text(browser, "#progress-text") == "Image 1 of 20"
    browser.execute_script(
        "for (const more of [{ctrlKey: true}, {metaKey: true}, {repeat: true}])"
        " document.dispatchEvent(new KeyboardEvent('keydown', {key: 'r', ...more}));"
    )
    assert text(browser, "#progress-text") == "Image 1 of 20"
    # A double click answers one image.
    browser.execute_script(
        "document.querySelector('[data-answer=real]').click();"
        "document.querySelector('[data-answer=real]').click();"
    )
    assert text(browser, "#progress-text") == "Image 2 of 20"


def test_the_pages_own_sha_256_is_sha_256(browser, tmp_path):
    page = write_page(tmp_path / "page", num_images=2)
    source = (page.path / votes.PAGE_NAME).read_text("utf-8")
    code = source[source.index("const ROOTS") : source.index("// Images are numbered from 1.")]
    texts = ["", "abc", "Ć" * 40, *("x" * n for n in (54, 55, 56, 63, 64, 65, 119, 120, 1000))]
    found = browser.execute_script(f"{code}; return arguments[0].map(sha256);", texts)
    assert found == [hashlib.sha256(t.encode("utf-8")).hexdigest() for t in texts]


# --- for everybody ---------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("images_at_once", [1, 9], ids=["one", "nine"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_everything_fits_and_can_be_read(browser, tmp_path, size, images_at_once, dark):
    page = write_page(tmp_path / "page", num_images=10, images_at_once=images_at_once)
    browsers.look(browser, size, dark)
    browser.get((page.path / votes.PAGE_NAME).resolve().as_uri())
    check_looks(browser, size, dark)
    start(browser, page)
    for image in (1, 2, 3):
        say(browser, image, "real", "click")
    check_looks(browser, size, dark)
    # The answers are reached without scrolling.
    bottoms = browser.execute_script(
        "return [...document.querySelectorAll('[data-answer]')]"
        ".map((b) => b.getBoundingClientRect().bottom);"
    )
    assert max(bottoms) <= size[1]
    heights = [b.size["height"] for b in browser.find_elements("css selector", "[data-answer]")]
    assert min(heights) >= 44
    answer_rest = answers_of(page, [5, 6])[3:]
    for image, answer in enumerate(answer_rest, 4):
        if is_shown(browser, "#next"):
            press(browser, ENTER)
            time.sleep(PAUSE)
        say(browser, image, answer, "key")
    if is_shown(browser, "#next"):
        press(browser, ENTER)
    assert is_shown(browser, "#result")
    check_looks(browser, size, dark)


def check_looks(browser, size, dark):
    """Nothing is wider than the window, and every text has a contrast of 4.5 or more."""
    assert browser.execute_script("return document.documentElement.scrollWidth") <= size[0]
    poor = browser.execute_script(CONTRAST)
    assert poor == []
    background = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    level = int(background.split("(")[1].split(",")[0])
    assert (level < 64) is dark


# WCAG 2: relative luminance of text and of the nearest background that is not transparent.
CONTRAST = """
const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const luminance = (color) => {
  const [r, g, b] = numbers(color).map((v) => linear(v / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const backgroundOf = (node) => getComputedStyle(node).backgroundColor;
const unseen = ".only-read, script, noscript, svg";
const poor = [];
for (const node of document.querySelectorAll("body *")) {
  const own = [...node.childNodes].some((c) => c.nodeType === 3 && c.textContent.trim());
  if (!own || !node.checkVisibility() || node.closest(unseen)) continue;
  let behind = node;
  while (behind.parentElement && numbers(backgroundOf(behind))[3] === 0)
    behind = behind.parentElement;
  const levels = [luminance(getComputedStyle(node).color), luminance(backgroundOf(behind))];
  const contrast = (Math.max(...levels) + 0.05) / (Math.min(...levels) + 0.05);
  if (contrast < 4.5) poor.push(`${node.tagName} ${node.textContent}: ${contrast.toFixed(2)}`);
}
return poor;
"""


def test_without_a_pointer_the_focus_is_seen_and_what_happens_is_heard(browser, tmp_path):
    page = write_page(tmp_path / "page")
    browsers.look(browser, reduced_motion=True)
    browser.get((page.path / votes.PAGE_NAME).resolve().as_uri())
    tab = "\ue004"
    find(browser, "body").send_keys(tab)
    assert browser.switch_to.active_element.get_attribute("id") == "person"
    press(browser, tab)
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    assert browser.execute_script(outline) == "solid"
    press(browser, ENTER)
    assert browser.switch_to.active_element.get_attribute("id") == "trial"
    time.sleep(PAUSE)
    press(browser, tab)
    focused = browser.switch_to.active_element
    assert (focused.accessible_name, focused.aria_role) == ("Real", "button")
    press(browser, ENTER)
    # The same button of the next image.
    assert browser.switch_to.active_element.get_attribute("data-answer") == "real"
    assert text(browser, "#progress-text") == "Image 2 of 20"
    assert find(browser, "#spoken").get_attribute("aria-live") == "polite"
    assert find(browser, "#progress").accessible_name == "Image 2 of 20"
    assert find(browser, "#shown img").accessible_name == "Image 2"
    moving = "return getComputedStyle(document.querySelector('button')).transitionDuration"
    assert browser.execute_script(moving) in ("0s", "")
    # What is on the screen says nothing of the next image but its number.
    shown = find(browser, "#shown").get_attribute("outerHTML")
    assert page.key["images"][1]["sha256"] not in shown
    words = shown.replace("Generated", "").replace("Real", "")
    assert words.count("generated") == words.count("real") == 1  # of the buttons


@pytest.mark.parametrize("images_at_once", [1, 9], ids=["one", "nine"])
def test_nothing_on_the_screen_differs_between_real_and_generated_images(
    browser, tmp_path, images_at_once
):
    page = write_page(tmp_path / "page", images_at_once=images_at_once, feedback=False)
    seen = {True: set(), False: set()}
    start(browser, page)
    for image in range(1, 10):
        figures = browser.find_elements("css selector", "figure")
        html = figures[(image - 1) % len(figures)].get_attribute("outerHTML")
        source = html.split('src="')[1].split('"')[0]
        plain = html.replace(source, str(len(source))).replace(f"Image {image}", "Image")
        seen[bool(page.is_generated[image - 1])].add(plain.replace(' class="current"', ""))
        if images_at_once == 1:
            say(browser, image, "real", "key")
    assert seen[True] == seen[False]
    assert len(seen[True]) == 1
