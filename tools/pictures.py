"""Pictures of pages of a running stack, at both widths and themes, to look at.

python tools/pictures.py --url http://127.0.0.1:8000 --account admin --password-file FILE --out FOLDER /inbox/ /models/
"""

from __future__ import annotations

import argparse
import re
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-dev-shm-usage",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
LOOKS = [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--account")
    parser.add_argument("--password-file", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--looks", default="light-1440,dark-390", help="of light-1440, dark-1440, light-390, dark-390"
    )
    parser.add_argument("paths", nargs="+")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for scheme, width in LOOKS:
            if f"{scheme}-{width}" not in options.looks.split(","):
                continue
            context = browser.new_context(
                base_url=options.url,
                color_scheme=scheme,
                viewport={"width": width, "height": 900},
                reduced_motion="reduce",
            )
            page = context.new_page()
            if options.account:
                page.goto("/login/")
                page.fill("#login", options.account)
                page.fill("#password", options.password_file.read_text().strip())
                page.click("button:has-text('Sign in')")
                page.wait_for_url(re.compile(r"^(?!.*/login/).*$"))
            for path in options.paths:
                page.goto(path)
                page.evaluate("document.fonts.ready")
                charts = page.locator("[data-figure]").count()
                if charts:
                    page.wait_for_function(f"document.querySelectorAll('[data-drawn]').length === {charts}")
                name = re.sub(r"[^a-z0-9]+", "-", path.lower()).strip("-") or "home"
                page.screenshot(path=options.out / f"{name}-{scheme}-{width}.png", full_page=True)
            context.close()
        browser.close()


if __name__ == "__main__":
    main()
