"""A figure's SVG as it stands inside the page: what a page needs of it, in a fraction of the bytes."""

import re
from html import escape
from pathlib import Path

# Coordinates are points; a tenth of one is a seventh of a pixel of a 9-inch figure that fills the page.
DECIMALS = 1
PLACES = re.compile(r' (?:d|x|y|width|height|transform)="[^"]*"')
NUMBER = re.compile(r"-?\d+\.\d+")
ELEMENT = r"<(?:path|use)\b[^<>]*/>|<text\b[^<>]*>[^<>]*</text>"


def inline(path: Path, prefix: str, label: str) -> str:
    """The SVG of a file, for HTML: named by `label` for those who can't see it; `prefix` sets its ids apart.

    Its text keeps matplotlib's sizes and places and takes the page's font; it is as wide as the box that it stands in.
    """
    text = path.read_text(encoding="utf-8")
    head, svg = text[text.index("<svg") :].split(">", 1)
    box = re.search(r'viewBox="([^"]*)"', head)
    if box is None:
        raise ValueError(f"{path} has no viewBox")
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<[^>]*>", lambda tag: _tag(tag[0]), re.sub(r">\s+<", "><", _short_ids(svg, prefix)))
    svg = _lean(_merged(_lean(svg)))
    svg, rules = _classes(svg, prefix)
    return f'<svg viewBox="{box[1]}" role="img" aria-label="{escape(label)}"><style>{rules}</style>{svg}'


def _tag(tag: str) -> str:
    """A tag in few characters; nothing outside tags is touched, for that is the figure's text."""
    tag = re.sub(r' transform="rotate\(-0 [^)]*\)"|stroke-dashoffset: 0; ?|font-family: [^;"]*;? ?', "", tag)
    tag = re.sub(r' clip-path="([^"]*)" style="', r' style="clip-path: \1; ', tag)
    tag = PLACES.sub(lambda found: NUMBER.sub(_rounded, found[0]), tag).replace("xlink:href", "href")
    return re.sub(r'(?<=[MLCQz]) | (?=")(?!"[\w#])| (?=[MLCQz])|(?<=[:;]) ', "", re.sub(r"\s+", " ", tag))


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.{DECIMALS}f}".removesuffix(".0")


def _short_ids(svg: str, prefix: str) -> str:
    """Only the ids that something refers to, numbered."""
    used = dict.fromkeys(re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', svg))
    short = {old: f"{prefix}-{k}" for k, old in enumerate(used)}
    svg = re.sub(r' id="([^"]+)"', lambda found: f' id="{short[found[1]]}"' if found[1] in short else "", svg)
    return re.sub(r'(xlink:href="#|url\(#)([^")]+)', lambda found: found[1] + short[found[2]], svg)


def _lean(svg: str) -> str:
    """No groups around nothing or around one element, and no lines without length."""
    svg = re.sub(r'<path d="M([\d. ]+)L\1"[^<>]*/>', "", svg)
    while (lean := re.sub(rf"<g>({ELEMENT})</g>|<g></g>|<defs></defs>", r"\1", svg)) != svg:
        svg = lean
    return svg


def _merged(svg: str) -> str:
    """Neighbouring paths that differ in nothing but their course become one; not filled ones, which may overlap."""
    pattern = re.compile(r'<path d="([^"]*)"([^<>]*fill:none[^<>]*)/><path d="([^"]*)"\2/>')
    while (merged := pattern.sub(r'<path d="\1\3"\2/>', svg)) != svg:
        svg = merged
    return svg


def _classes(svg: str, prefix: str) -> tuple[str, str]:
    """Each style once, as a rule, and its class where it stood."""
    styles = {style: f"{prefix}s{k}" for k, style in enumerate(dict.fromkeys(re.findall(r' style="([^"]*)"', svg)))}
    svg = re.sub(r' style="([^"]*)"', lambda found: f' class="{styles[found[1]]}"', svg)
    return svg, "".join(f".{name}{{{style}}}" for style, name in styles.items())
