"""A figure's SVG as it stands inside the page: what a page needs of it, in a fraction of the bytes."""

import re
from html import escape

# Coordinates are points; a tenth of one is a seventh of a pixel of a 9-inch figure that fills the page.
DECIMALS = 1
PLACES = re.compile(r' (?:d|x|y|width|height|transform)="[^"]*"')
NUMBER = re.compile(r"-?\d+\.\d+")
ELEMENT = r"<(?:path|use)\b[^<>]*/>|<text\b[^<>]*>[^<>]*</text>"


def inline(text: str, prefix: str, label: str) -> str:
    """An SVG file's text, for HTML: `label` describes it to those who can't see it; `prefix` sets its ids apart.

    Its text keeps matplotlib's sizes and places and takes the page's font; it is as wide as the box that it stands in.
    """
    head, svg = text[text.index("<svg") :].split(">", 1)
    box = re.search(r'viewBox="([^"]*)"', head)
    if box is None:
        raise ValueError("the SVG has no viewBox")
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<[^>]*>", lambda tag: _tag(tag[0]), re.sub(r">\s+<", "><", _short_ids(svg, prefix)))
    svg = _lean(_merged(_lean(svg)))
    svg, rules = _classes(svg, prefix)
    return f'<svg viewBox="{box[1]}" role="img" aria-label="{escape(label)}"><style>{rules}</style>{svg}'


def _tag(tag: str) -> str:
    """A tag in few characters; nothing outside tags is touched, for that is the figure's text."""
    tag = re.sub(r' transform="rotate\(-0 [^)]*\)"|stroke-dashoffset: 0; ?|font-family: [^;"]*;? ?', "", tag)
    tag = PLACES.sub(lambda match: NUMBER.sub(_rounded, match[0]), tag).replace("xlink:href", "href")
    return re.sub(r'(?<=[MLCQz]) | (?=")(?!"[\w#])| (?=[MLCQz])|(?<=[:;]) ', "", re.sub(r"\s+", " ", tag))


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.{DECIMALS}f}".removesuffix(".0")


def _short_ids(svg: str, prefix: str) -> str:
    """Only the ids that something refers to, numbered."""
    used = dict.fromkeys(re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', svg))
    short = {old: f"{prefix}-{k}" for k, old in enumerate(used)}
    svg = re.sub(r' id="([^"]+)"', lambda match: f' id="{short[match[1]]}"' if match[1] in short else "", svg)
    return re.sub(r'(xlink:href="#|url\(#)([^")]+)', lambda match: match[1] + short[match[2]], svg)


def _lean(svg: str) -> str:
    """No groups around nothing or around one element, and no lines without length."""
    svg = re.sub(r'<path d="M([\d. ]+)L\1"[^<>]*/>', "", svg)
    while (lean := re.sub(rf"<g>({ELEMENT})</g>|<g></g>|<g/>|<defs></defs>", r"\1", svg)) != svg:
        svg = lean
    return svg


def _merged(svg: str) -> str:
    """Neighbouring paths that differ in nothing but their course become one; not filled ones, which may overlap."""
    pattern = re.compile(r'<path d="([^"]*)"([^<>]*fill:none[^<>]*)/><path d="([^"]*)"\2/>')
    while (merged := pattern.sub(r'<path d="\1\3"\2/>', svg)) != svg:
        svg = merged
    return svg


def _classes(svg: str, prefix: str) -> tuple[str, str]:
    """Each style, and each clip, once as a rule, and its class where it stood; markers of a curve share theirs."""
    names: dict[str, str] = {}

    def name(rule: str) -> str:
        return names.setdefault(rule, f"{prefix}s{len(names)}")

    def classed(match: re.Match[str]) -> str:
        clip = f"{name(f'clip-path:{match[1]}')} " if match[1] else ""
        return f' class="{clip}{name(match[2])}"'

    svg = re.sub(r'(?: clip-path="([^"]*)")? style="([^"]*)"', classed, svg)
    alike = re.compile(r'<g([^<>]*)>((?:<use [^<>]*( class="[^"]*")/>)(?:<use [^<>]*\3/>)+)</g>')
    svg = alike.sub(lambda match: f"<g{match[1]}{match[3]}>{match[2].replace(match[3], '')}</g>", svg)
    return svg, "".join(f".{name}{{{rule}}}" for rule, name in names.items())
