"""The site in a browser, from a server and from a folder."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, Page, expect

from claimbench.leaderboard.site.plots import forest, svg
from tests.records import RECORD, make_record

PAGES = ("index.html", "papers/paper_0003.html", "diverging.html", "verdicts.html")


def visible(page: Page) -> list[str]:
    return page.locator("#board tbody tr:not([hidden]) th").all_inner_texts()


def test_search_filters_as_you_type(page, address):
    page.goto(f"{address}index.html")
    assert len(visible(page)) == 12
    page.get_by_label("Search").press_sequentially("descent 10")
    assert visible(page) == ["On Descent 10"]
    assert page.get_by_role("status").inner_text() == "1 of 12 papers, 5 claims"
    page.get_by_role("button", name="Reset").click()
    expect(page.locator("#board tbody tr[hidden]")).to_have_count(0)


def test_rows_that_come_back_in_batches_come_in_order(page, long_overview):
    page.goto(long_overview)
    everything = visible(page)
    assert len(everything) == 250
    page.locator("select[name=sort]").select_option("title")
    page.get_by_label("Search").fill("descent 249")
    assert visible(page) == ["On Descent 249"]
    page.get_by_label("Search").fill("")
    expect(page.locator("#board tbody tr[hidden]")).to_have_count(0)
    assert visible(page) == sorted(everything, key=str.lower)


def test_a_search_during_the_return_of_rows_wins(page, long_overview):
    page.goto(long_overview)
    page.get_by_label("Search").fill("descent 249")
    page.evaluate(
        """() => {
            const field = document.querySelector("input[name=q]");
            for (const text of ["", "descent 14"]) {
                field.value = text;
                field.dispatchEvent(new Event("input", {bubbles: true}));
            }
        }"""
    )
    names = [
        f"On Descent {number}" for number in (14, 114, 140, 141, 142, 144, 145, 146, 148, 149, 214)
    ]
    rows = page.locator("#board tbody tr:not([hidden]) th")
    expect(rows).to_have_count(len(names))
    assert sorted(visible(page)) == sorted(names)


def test_search_finds_claims_and_themes(page, address):
    page.goto(f"{address}index.html")
    page.get_by_label("Search").fill("scientific-ml claim-2")
    assert len(visible(page)) == 3


def test_filters_combine_and_dim_other_claims(page, address):
    page.goto(f"{address}index.html")
    page.locator("select[name=theme]").select_option("scientific-ml")
    page.locator("select[name=verdict]").select_option("diverged")
    rows = page.locator("#board tbody tr:not([hidden])")
    assert 0 < rows.count() < 12
    for row in rows.all():
        assert row.locator("td").nth(0).inner_text() == "scientific-ml"
        assert row.locator(".mark.diverged:not(.dim)").count() > 0
        assert row.locator(".mark:not(.diverged):not(.dim)").count() == 0


@pytest.mark.parametrize("name", ["kind", "fidelity", "tier"])
def test_each_filter_keeps_what_it_says(page, address, name):
    page.goto(f"{address}index.html")
    select = page.locator(f"select[name={name}]")
    for option in select.locator("option:not([value=''])").all_inner_texts():
        select.select_option(option)
        marks = page.locator("#board tbody tr:not([hidden]) .mark:not(.dim)")
        assert marks.count() > 0
        assert all(option in mark.get_attribute("data-f").split() for mark in marks.all())


def test_sorting(page, address):
    page.goto(f"{address}index.html")
    by_theme = visible(page)
    page.locator("select[name=sort]").select_option("title")
    assert visible(page) == sorted(by_theme, key=str.lower) != by_theme
    page.locator("select[name=sort]").select_option("")
    assert visible(page) == by_theme


def test_a_shared_link_shows_the_same(page, browser: Browser, address):
    page.goto(f"{address}index.html")
    page.get_by_label("Search").fill("descent")
    page.locator("select[name=verdict]").select_option("vacuous")
    page.locator("select[name=sort]").select_option("title")
    shown = visible(page)
    other = browser.new_page()
    other.goto(page.url)
    assert visible(other) == shown
    assert other.get_by_label("Search").input_value() == "descent"
    other.close()


def test_without_script_everything_is_there(browser: Browser, address):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}index.html")
    assert len(visible(page)) == 12
    assert not page.get_by_label("Search").is_visible()
    page.locator("#board tbody a.mark").first.click()
    assert "/papers/paper_" in page.url
    context.close()


def test_hostile_texts_do_nothing(page, address):
    for name in PAGES:
        page.goto(f"{address}{name}")
        assert page.evaluate("window.hit") is None
    page.goto(f"{address}papers/paper_0003.html")
    assert page.locator("h1").inner_text().startswith("<script>window.hit = 1</script>")


def test_paper_page_has_plots_with_text_and_formulas(page, address):
    page.goto(f"{address}papers/paper_0000.html")
    images = page.locator("img.plot")
    assert images.count() == 6
    for image in images.all():
        image.scroll_into_view_if_needed()
        expect(image).to_have_js_property("complete", True)
        assert image.evaluate("e => e.naturalWidth") > 0
        assert "seed" in image.get_attribute("alt")
    assert page.locator("math").count() == 2
    page.get_by_role("link", name="claim-3").first.click()
    assert page.url.endswith("#claim-3")


def test_long_names_of_controls_fit_their_plot(page):
    name = "no-slow-average-nor-any-warmup-of-alpha"
    plot = forest(make_record(controls=[{**RECORD["controls"][0], "name": name}]), "value")
    assert plot is not None
    page.set_content(svg(plot))
    label = page.locator("svg text", has_text=name)
    assert label.count() == 1
    room = page.locator("svg").bounding_box()
    assert room["x"] <= label.bounding_box()["x"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_no_serious_violation_of_accessibility(browser: Browser, served, axe, name, scheme):
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(f"{served}{name}")
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (back == "rgb(255, 255, 255)") is (scheme == "light")
    page.evaluate(axe)
    found = page.evaluate("axe.run()")
    serious = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    short = [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in serious]
    assert serious == [], json.dumps(short, indent=1)
    context.close()


def test_phone_does_not_scroll_sideways(browser: Browser, address):
    page = browser.new_page(viewport={"width": 360, "height": 740})
    for name in PAGES:
        page.goto(f"{address}{name}")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360, name
    page.close()


def test_keyboard_reaches_filters_and_claims(page, address):
    page.goto(f"{address}index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.get_by_label("Search").focus()
    page.keyboard.type("descent 10")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('href')") == "papers/paper_0010.html":
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/papers/paper_0010.html")
