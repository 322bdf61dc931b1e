"""What a page looks like, in figures: width, sizes of what one presses, weight, and what axe-core finds."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from mfaportal.plumbing.config import ROOT

TOUCH, TOUCH_IN_BAR = 44, 40
_COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
_ONLY_MISTAKES = {"resultTypes": ["violations"]}

_MISTAKES = """async options => (await axe.run(document, options)).violations.flatMap(mistake =>
  mistake.nodes.map(node => `${mistake.id}: ${node.html.slice(0, 120)} ${node.failureSummary}`))"""

_SMALL_TARGETS = """([touch, inBar]) => {
  const bar = document.querySelector(".bar");
  const inSentence = link => link.tagName === "A" && link.parentElement.tagName === "P"
    && link.parentElement.textContent.trim() !== link.textContent.trim() && !link.matches(".actions > *");
  const hits = (target, x, y) => {
    const found = document.elementFromPoint(x, y);
    return found !== null && target.contains(found);
  };
  const reach = (target, x, y, stepX, stepY, most) => {
    let far = 0;
    while (far < most && hits(target, x + stepX * (far + 1), y + stepY * (far + 1))) far += 1;
    return far;
  };
  const small = [];
  for (const element of document.querySelectorAll("a[href], button, input, select, textarea, summary")) {
    if (!element.checkVisibility() || element.matches(".skip") || inSentence(element)) continue;
    const target = element.matches("[type=radio], [type=checkbox]") ? element.closest("label") : element;
    const least = bar.contains(element) ? inBar : touch;
    target.scrollIntoView({ block: "center", behavior: "instant" });
    const box = target.getClientRects()[0];
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const width = 1 + reach(target, x, y, 1, 0, least) + reach(target, x, y, -1, 0, least);
    const height = 1 + reach(target, x, y, 0, 1, least) + reach(target, x, y, 0, -1, least);
    if (width < least || height < least) small.push(`${element.outerHTML.slice(0, 90)} ${width}x${height}`);
  }
  return small;
}"""

_WEIGHT = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .map(entry => entry.decodedBodySize)"""


def findings(page: Page, *, colours_only: bool = False) -> list[str]:
    """What axe-core has against the page; `colours_only` for a second look at the same page in other colours."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate(_MISTAKES, {**_ONLY_MISTAKES, **(_COLOURS if colours_only else {})})
    return list(found)


def small_targets(page: Page) -> list[str]:
    """What one presses and is smaller than a finger, links within a sentence aside (WCAG 2.2, 2.5.5)."""
    found = page.evaluate(_SMALL_TARGETS, [TOUCH, TOUCH_IN_BAR])
    page.evaluate("scrollTo(0, 0)")
    return list(found)


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def weight(page: Page) -> int:
    """Bytes of all that the page is made of, uncompressed. The icon is not in the browser's list, so it is added."""
    sizes = page.evaluate(_WEIGHT)
    assert len(sizes) >= 2, "the page or its stylesheet is missing from the browser's list"
    return int(sum(sizes)) + (ROOT / "static" / "favicon.svg").stat().st_size
