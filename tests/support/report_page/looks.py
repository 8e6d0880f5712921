# Copyright: (c) 2026, the openstack_recovery.nova contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a page in the browser, as JavaScript."""

from __future__ import annotations

# Elements that reach beyond the window.
TOO_WIDE = """
[...document.querySelectorAll('body *')]
  .filter(e => e.getBoundingClientRect().right > window.innerWidth + 1)
  .slice(0, 5).map(e => e.tagName + '.' + e.className + ' ' + e.textContent.slice(0, 40))
"""

# For each way in which text is shown: its contrast with what lies below it, and whether it is large.
CONTRASTS = """
(() => {
  const numbers = css => (css.match(/[0-9.]+/g) || []).map(Number);
  const channel = c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const below = e => {
    for (; e; e = e.parentElement) {
      const [r, g, b, a = 1] = numbers(getComputedStyle(e).backgroundColor);
      if (a === 1) return [r, g, b];
      if (a > 0) throw new Error('half transparent: ' + e.className);
    }
    return [255, 255, 255];
  };
  const seen = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const e = node.parentElement;
    if (!node.data.trim() || e.closest('svg') || !e.checkVisibility()) continue;
    const style = getComputedStyle(e), back = below(e), size = parseFloat(style.fontSize);
    const key = style.color + back + size + style.fontWeight;
    if (seen.has(key)) continue;
    const [one, other] = [light(numbers(style.color)), light(back)].sort((a, b) => b - a);
    seen.set(key, {
      ratio: (one + 0.05) / (other + 0.05),
      large: size >= 24 || (size >= 18.66 && style.fontWeight >= 700),
      text: node.data.trim().slice(0, 30), color: style.color, back: back.join(),
    });
  }
  return [...seen.values()];
})()
"""

# Pieces of pictures that lie outside of them, and segments that overlap the one before.
OUTSIDE = """
[...document.querySelectorAll('svg')].flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  if (!frame.width) return [];
  const wrong = [...svg.querySelectorAll('rect, polygon')].filter(piece => {
    const box = piece.getBoundingClientRect();
    return box.left < frame.left - 1 || box.right > frame.right + 1
      || box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
  });
  const rects = [...svg.querySelectorAll('rect')].map(r => r.x.baseVal.value);
  const mixed = rects.some((x, at) => at && x < rects[at - 1]);
  return [...wrong.map(w => w.outerHTML), ...(mixed ? ['mixed: ' + rects] : [])];
}).slice(0, 3)
"""

# What somebody who does not see the page would miss.
NOT_ACCESSIBLE = """
(() => {
  const wrong = [], all = s => [...document.querySelectorAll(s)];
  if (document.documentElement.lang !== 'en' || !document.title) wrong.push('language or title');
  if (all('h1').length !== 1) wrong.push('headings of the first level: ' + all('h1').length);
  let level = 0;
  for (const h of all('h1, h2, h3, h4')) {
    const now = Number(h.tagName[1]);
    if (now > level + 1) wrong.push('a level is left out at ' + h.textContent);
    level = now;
  }
  for (const t of all('table')) {
    if (!t.querySelector('thead th') || t.querySelector('th:not([scope])')) wrong.push('a table without headers');
    if (t.querySelector('tbody tr:not(:has(th[scope=row]))')) wrong.push('a row without header');
  }
  for (const s of all('svg')) if (!s.getAttribute('aria-label')) wrong.push('a picture without words');
  for (const c of all('.chip, .tiles li, .legend li')) if (c.textContent.trim().length < 2) wrong.push('only a colour');
  for (const a of all('a')) if (!a.textContent.trim()) wrong.push('a link without words');
  return wrong.slice(0, 5);
})()
"""

# How many folded parts have content that is not shown.
FOLDED = """
[...document.querySelectorAll('details:not([open])')]
  .filter(d => d.checkVisibility() && !d.lastElementChild.checkVisibility()).length
"""
