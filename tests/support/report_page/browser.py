# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at every page of a folder as people do:  python -m report_page.browser CHROMIUM FOLDER PICTURES

Pictures of the pages are left in the last folder, for people to look at.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from expecting import require
from playwright.sync_api import Browser, Page, sync_playwright

from . import looks
from .runs import HARMFUL, samples

WIDTHS = (1280, 400)
SCHEMES = ("light", "dark")
# What WCAG 2 asks for, level AA.
_CONTRAST, _CONTRAST_LARGE = 4.5, 3.0


def main() -> None:
    chromium, folder, pictures = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    pictures.mkdir(exist_ok=True)
    names = [*samples(), "index"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium)
        for name in names:
            began = time.monotonic()
            for width in WIDTHS:
                for scheme in SCHEMES:
                    look(browser, folder / f"{name}.html", width, scheme, pictures)
            print_out(browser, folder / f"{name}.html", pictures)
            print(f"{name}: {time.monotonic() - began:.1f} s")
        instances(browser, folder)
        harmless(browser, folder)
        without_scripts(browser, folder)
        first_things_first(browser, folder)
        browser.close()
    print("report_page: ok")


def opened(browser: Browser, path: Path, wrong: list[str], **context: Any) -> Page:
    """The page; what it does that it should not is added to ``wrong``."""
    page = browser.new_context(**context).new_page()
    page.on("console", lambda message: wrong.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    page.on("dialog", lambda dialog: wrong.append(f"dialog: {dialog.message}"))
    page.on(
        "request",
        lambda request: (
            wrong.append(f"request: {request.url}") if request.url != path.as_uri() else None
        ),
    )
    page.goto(path.as_uri())
    return page


def look(browser: Browser, path: Path, width: int, scheme: Any, pictures: Path) -> None:
    what, wrong = f"{path.stem}, {width} px, {scheme}", list[str]()
    viewport = {"width": width, "height": 2000}
    page = opened(browser, path, wrong, viewport=viewport, color_scheme=scheme)
    page.screenshot(path=pictures / f"{path.stem}-{width}-{scheme}.png")
    if page.evaluate("document.documentElement.scrollWidth") > width:
        wrong.append(f"wider than the window: {page.evaluate(looks.TOO_WIDE)}")
    for text in page.evaluate(looks.CONTRASTS):
        if text["ratio"] < (_CONTRAST_LARGE if text["large"] else _CONTRAST):
            wrong.append(f"too little contrast: {text}")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    dark = sum(int(part) for part in background[4:-1].split(",")[:3]) < 3 * 128
    if dark != (scheme == "dark"):
        wrong.append(f"the background is {background}")
    wrong += [f"outside of its picture: {piece}" for piece in page.evaluate(looks.OUTSIDE)]
    wrong += page.evaluate(looks.NOT_ACCESSIBLE)
    if page.evaluate("window.harmed") is not None:
        wrong.append("a name was run")
    require(not wrong, f"{what}: {wrong[:5]}")
    page.context.close()


def print_out(browser: Browser, path: Path, pictures: Path) -> None:
    """On paper it is light, whatever the screen is, and nothing is folded."""
    page = opened(browser, path, [], color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    require(background == "rgb(255, 255, 255)", f"{path.stem} is printed on {background}")
    faint = [f for f in page.evaluate(looks.CONTRASTS) if f["ratio"] < _CONTRAST]
    require(not faint, f"{path.stem}: too little contrast on paper: {faint[:5]}")
    folded = page.evaluate(looks.FOLDED)
    require(folded == 0, f"{path.stem}: {folded} parts are folded on paper")
    pdf = page.pdf(path=pictures / f"{path.stem}.pdf", format="A4")
    require(pdf.startswith(b"%PDF") and len(pdf) > 10_000, f"{path.stem}: {len(pdf)} bytes of PDF")
    page.context.close()


def instances(browser: Browser, folder: Path) -> None:
    """Every instance is there, the worst first, and its row leads to its steps."""
    for name in ("ten", "many"):
        wanted = samples()[name]["instances"]
        page = opened(browser, folder / f"{name}.html", [])
        ids = page.locator("table.instances tbody th code").all_inner_texts()
        require(sorted(ids) == sorted(one["id"] for one in wanted), f"{name}: other instances")
        states = page.evaluate(
            "[...document.querySelectorAll('table.instances tbody tr')].map(r => r.className)"
        )
        order = ["bad", "busy", "late", "ok", "left"]
        require(
            states == sorted(states, key=order.index), f"{name}: not the worst first: {states[:20]}"
        )
        with_line = [one for one in wanted if one["timeline"]]
        drawn = page.locator("table.instances tbody svg").count()
        require(drawn == len(with_line), f"{name}: {drawn} time lines of {len(with_line)}")
        link = page.locator("table.instances tbody tr.ok th a").first
        steps = page.locator(str(link.get_attribute("href")))
        require(not steps.is_visible(), f"{name}: the steps of a verified instance are not folded")
        link.click()
        require(steps.is_visible(), f"{name}: an instance's name does not lead to its steps")
        page.context.close()


def harmless(browser: Browser, folder: Path) -> None:
    """Names are text, letter by letter, wherever they stand."""
    wrong: list[str] = []
    page = opened(browser, folder / "harmful.html", wrong)
    shown = page.evaluate(
        "[...document.querySelectorAll('table.instances tbody th a')].map(a => a.textContent)"
    )
    require(sorted(shown) == sorted(HARMFUL), f"names are not shown as they are: {shown}")
    inside = page.locator("script, iframe, object, embed, form, base, img").count()
    require(inside == 0, f"{inside} elements that do something are in the page")
    harmful = page.evaluate(
        "[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()).filter(n => n.startsWith('on'))"
    )
    require(not harmful, f"attributes that do something: {harmful}")
    links = page.evaluate("[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
    good = ("#", "https://logs.example.com/", "harmful.json", "index.html")
    require(all(link.startswith(good) for link in links), f"links: {links}")
    for link in page.locator("a[href^='#']").all():
        link.click(force=True)
    require(page.evaluate("window.harmed") is None and not wrong, f"a name was run: {wrong}")
    page.context.close()


def without_scripts(browser: Browser, folder: Path) -> None:
    page = opened(browser, folder / "ten.html", [], java_script_enabled=False)
    require("6 of 9" in page.locator("h1").inner_text(), "no verdict without scripts")
    require(page.locator("#todo article").count() == 5, "not told what to do without scripts")
    page.context.close()


def first_things_first(browser: Browser, folder: Path) -> None:
    """The verdict, and what to do about the first failure, are seen before anybody scrolls."""
    page = opened(browser, folder / "many.html", [], viewport={"width": 1280, "height": 720})
    for selector in ("h1", "#todo h2", "#todo article:first-of-type .do"):
        box = page.locator(selector).bounding_box()
        require(box is not None and box["y"] + box["height"] < 720, f"{selector} lies at {box}")
    page.context.close()


if __name__ == "__main__":
    main()
