"""Take the README's pictures of the site in a real browser: `screenshots.py SITE FOLDER`."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

PAPER, CLAIM = "ademamix", "fewer-tokens-than-adamw"


def main() -> None:
    """Write overview.png and paper.png of a built site into a folder."""
    site, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": 1100, "height": 760}, device_scale_factor=1.5)
        page.goto((site / "index.html").as_uri())
        page.screenshot(path=folder / "overview.png")
        page.goto((site / "papers" / f"{PAPER}.html").as_uri())
        claim = page.locator(f"#{CLAIM}")
        claim.scroll_into_view_if_needed()
        page.wait_for_function(
            "selector => [...document.querySelectorAll(selector)].every(image => image.complete)",
            arg=f"#{CLAIM} img",
        )
        claim.screenshot(path=folder / "paper.png")
        browser.close()


if __name__ == "__main__":
    main()
