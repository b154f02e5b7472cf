from __future__ import annotations

import errno
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fxkit.errors import FxkitError, PluginError
from fxkit.task import Task
from fxkit.tasks.distort import Distort

from fxkit import report

LOADS = {"src", "href", "srcset", "poster", "data", "action", "xlink:href", "formaction"}


class Reader(HTMLParser):
    """Collects what a page would load, its open tags, and its ids."""

    VOID = frozenset({"meta", "link", "input", "br", "img"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.scripts = 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.scripts += tag == "script"
        self.loads += [value or "" for name, value in attrs if name in LOADS]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag) if tag not in self.VOID else None

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def html(data):
    return report.page(data)


def test_sections_stand_in_the_order_of_the_task(html):
    found = [i for i in Reader(html).ids if i in report.names()]
    # Without an estimated side or a reference run there is nothing to say about either.
    assert found == [name for name in Distort.sections if name != "estimate"]


def test_tags_are_balanced_and_ids_unique(html):
    reader = Reader(html)
    assert reader.open == []
    assert len(set(reader.ids)) == len(reader.ids)


def test_nothing_is_loaded_from_anywhere(html):
    assert all(address.startswith(("data:", "#")) for address in Reader(html).loads)
    assert not re.search(r"https?:|url\(|@import|fetch\(|XMLHttpRequest|//cdn", html)
    assert "default-src 'none'" in html


def test_the_reader_would_see_a_foreign_resource():
    assert Reader('<img src="https://example.org/x.png">').loads == ["https://example.org/x.png"]


def test_names_are_escaped(changed):
    evil = '<script>alert("x")</script>'
    html = report.page(
        changed(
            title=evil,
            description=evil,
            findings=(evil,),
            settings={evil: evil},
            environment={"x": evil},
            model={"name": evil, "config": {evil: evil}, "loss": evil},
            stopped=evil,
        )
    )
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html
    assert Reader(html).scripts == 1


def test_the_page_stays_below_five_megabytes(html):
    assert len(html.encode()) < 5_000_000


def test_an_unknown_section_names_the_nearest(changed):
    class Odd(Distort):
        sections = ("summary", "spectogram")

    with pytest.raises(PluginError, match=r"'spectogram'.*did you mean 'spectrograms'"):
        report.page(changed(task=Odd()))


def test_a_plug_in_adds_its_own_section(changed):
    @report.section("harmonics-of-a-test", "Harmonics")
    def harmonics(data):
        return report.render("data.html", data=data)

    class Own(Distort):
        sections = ("harmonics-of-a-test",)

    assert 'id="harmonics-of-a-test"' in report.page(changed(task=Own()))


def test_a_name_taken_twice_is_an_error_that_names_both():
    with pytest.raises(PluginError, match=r"'scores'.*scores_section.*test_page"):
        report.section("scores", "Mine")(lambda data: None)


def test_a_task_without_sections_still_makes_a_page(changed):
    class Bare(Task):
        title = "Nothing much"
        sections = ()

    assert "Nothing much" in report.page(changed(task=Bare()))


def test_write_leaves_one_file_that_others_may_read(tmp_path, data):
    report.write(tmp_path / "report.html", data)
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert (tmp_path / "report.html").stat().st_mode & 0o400


def test_write_into_a_missing_folder_is_one_line(tmp_path, data):
    with pytest.raises(FxkitError, match=r"report cannot be written: No such file") as caught:
        report.write(tmp_path / "none" / "report.html", data)
    assert "\n" not in str(caught.value)


def test_a_full_disk_leaves_the_old_report(tmp_path, data, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("the old one")

    def full(self, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(FxkitError, match=r"the disk is full; free \d\.\d MB"):
        report.write(path, data)
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    assert path.read_text() == "the old one"


def test_importing_the_report_does_not_import_torch():
    code = "import sys, fxkit.report; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
