"""The page in a real browser; skipped where there is none."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from fxkit.report.templates import asset

from fxkit import report

NODE = shutil.which("node")
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)

needs_browser = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium here")

DRIVE = """
<script>
(async () => {
  const player = document.getElementById("player");
  const find = (selector) => player.querySelector(selector);
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const key = (name) =>
    player.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
  const log = [];
  find(".play").click();
  // The clock of the page is ahead of that of its sound, the more so on a busy machine.
  for (let i = 0; i < 4000 && Number(find(".seek").value) < 0.1; i += 1) await wait(25);
  log.push(Number(find(".seek").value) > 0 ? "moves" : "stuck");
  log.push(find(".play").getAttribute("aria-label"));
  key("3");
  log.push(player.dataset.playing, find(".tracks :checked").value);
  key(" ");
  log.push(find(".play").getAttribute("aria-label"));
  const before = Number(find(".seek").value);
  key("ArrowRight");
  log.push((Number(find(".seek").value) - before).toFixed(1));
  find('[data-blind="x"]').click();
  log.push(player.dataset.playing);
  find('[data-blind="target"]').click();
  log.push(/ of 1 right/.test(find(".blind-result").textContent) ? "judged" : "unjudged");
  document.body.dataset.log = log.join("|");
})();
</script></body>
"""


def browse(path: Path, profile: Path, *flags: str) -> tuple[str, list[str]]:
    """Return the page as the browser has it after running its script, and what it complained of."""
    done = subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            f"--user-data-dir={profile}", "--enable-logging=stderr", "--dump-dom", *flags,
            path.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
        env={**os.environ, "HOME": str(profile)},
    )  # fmt: skip
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.skipif(not NODE, reason="there is no Node.js here")
def test_the_script_is_valid(tmp_path):
    script = tmp_path / "player.js"
    script.write_text(asset("player.js"), encoding="utf-8")
    subprocess.run([NODE, "--check", str(script)], check=True, capture_output=True)


def test_the_script_cannot_end_its_element_early():
    assert "</script" not in asset("player.js").lower()
    assert "</style" not in asset("page.css").lower()


def test_without_scripts_there_are_plain_players(data):
    html = report.page(data)
    players = re.findall(r'<audio id="audio-(\w+)"[^>]* controls [^>]*src="data:audio/flac', html)
    assert players == ["input", "target", "prediction", "residual"]
    assert '<div class="transport" hidden>' in html


@needs_browser
def test_the_page_loads_without_a_complaint(data, tmp_path):
    report.write(tmp_path / "report.html", data)
    dom, complaints = browse(tmp_path / "report.html", tmp_path / "profile")
    assert complaints == []
    assert 'data-ready="true"' in dom
    assert '<div class="transport">' in dom
    assert dom.count("<audio id=") == 4


@needs_browser
def test_the_policy_stops_a_foreign_script(data, tmp_path):
    path = tmp_path / "report.html"
    page = report.page(data).replace("</body>", "<script>document.title = 'taken'</script></body>")
    path.write_text(page, encoding="utf-8")
    dom, complaints = browse(path, tmp_path / "profile")
    assert "<title>taken" not in dom
    assert any("Content Security Policy" in line for line in complaints)


@needs_browser
def test_playing_switching_and_the_blind_test(data, tmp_path):
    path = tmp_path / "report.html"
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", report.page(data))
    path.write_text(page.replace("</body>", DRIVE), encoding="utf-8")
    dom, complaints = browse(
        path,
        tmp_path / "profile",
        "--autoplay-policy=no-user-gesture-required",
        "--virtual-time-budget=120000",
    )
    assert complaints == []
    found = re.search(r'data-log="([^"]*)"', dom)
    assert found is not None
    assert found[1] == "moves|Pause|prediction|prediction|Play|1.0|x|judged"
