"""A paper's README as HTML: Markdown without raw HTML, formulas as MathML."""

from __future__ import annotations

import html
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from claimbench.leaderboard.readmes import without_block

if TYPE_CHECKING:  # an extra
    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML
    from markupsafe import Markup


def as_html(markdown: str) -> Markup:
    """Return a README as HTML that is safe to include, its headings a level lower.

    Raw HTML is shown as text, and links lead to https, http, or within the site's page. A first
    heading of the highest level, which is the paper's name, is left out, and so are the published
    results, which the page has itself.
    """
    from markupsafe import Markup

    tokens = _parser().parse(without_block(markdown))
    if tokens and tokens[0].tag == "h1":
        del tokens[:3]
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1:]) + 1)}"
    rendered: str = _parser().renderer.render(tokens, _parser().options, {})
    return Markup(rendered)


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.use(dollarmath_plugin, renderer=_formula, double_inline=True)
    parser.validateLink = _is_safe  # type: ignore[method-assign]
    parser.add_render_rule("image", _image)
    return parser


def _formula(text: str, options: dict[str, Any]) -> str:
    from latex2mathml import exceptions
    from latex2mathml.converter import convert

    display = "block" if options.get("display_mode") else "inline"
    try:
        return str(convert(text, display=display))
    except (
        *(exceptions.DoubleSubscriptsError, exceptions.DoubleSuperscriptsError),
        *(exceptions.ExtraLeftOrMissingRightError, exceptions.MissingEndError),
        *(exceptions.NoAvailableTokensError, IndexError, KeyError, ValueError),
    ):
        return f"<code>{html.escape(text)}</code>"


def _is_safe(url: str) -> bool:
    return urlsplit(url).scheme in ("http", "https") or url.startswith("#")


def _image(
    self: RendererHTML, tokens: Any, index: int, options: Any, env: Any
) -> str:  # pictures would be requests to other hosts
    return html.escape(tokens[index].content)
