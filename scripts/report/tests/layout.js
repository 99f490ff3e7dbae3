// SPDX-License-Identifier: Apache-2.0
// What is wrong with the layout of the page as it is shown now: a list of sentences. check_report.py runs it.
(() => {
  const SLACK = 1.5, LETTERS_MIN = 9, CONTRAST_MIN = 4.5, SHOWN = 12;
  const found = [], boxes = [], width = document.documentElement.clientWidth;
  const say = (words, text) => found.push(`${words}: "${text.trim().replace(/\s+/g, ' ').slice(0, 60)}"`);
  const isHidden = (element) => element.closest('.defs, head, title, desc') || getComputedStyle(element).clipPath !== 'none';

  if (document.documentElement.scrollWidth > width) {
    found.push(`the page is ${document.documentElement.scrollWidth} px wide, the window ${width}`);
  }

  // Colours: of the text, and of the nearest ancestor with a background.
  const channels = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
  const light = (colour) => channels(colour).slice(0, 3).map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
      .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const isOpaque = (colour) => channels(colour).length === 3 || channels(colour)[3] === 1;
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (isOpaque(colour)) { return colour; }
    }
    return 'rgb(255, 255, 255)';
  };
  const contrast = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };

  // The place of every line of text.
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || isHidden(element) || element.closest('style')) { continue; }
    const range = document.createRange();
    range.selectNodeContents(node);
    const drawing = element.closest('svg'), style = getComputedStyle(element);
    const scale = drawing ? drawing.getBoundingClientRect().width / drawing.viewBox.baseVal.width : 1;
    if (parseFloat(style.fontSize) * scale < LETTERS_MIN - 0.2) {
      say(`letters of ${(parseFloat(style.fontSize) * scale).toFixed(1)} px`, node.data);
    }
    const ink = drawing ? style.fill : style.color;
    const back = behind(drawing ? drawing.parentElement : element);
    if (contrast(ink, back) < CONTRAST_MIN) {
      say(`contrast ${contrast(ink, back).toFixed(1)} of ${ink} on ${back}`, node.data);
    }
    for (const rect of range.getClientRects()) {
      if (rect.width < 0.5) { continue; }
      const box = {node, drawing, left: rect.left, right: rect.right, top: rect.top + window.scrollY, bottom: rect.bottom + window.scrollY};
      boxes.push(box);
      if (rect.left < -SLACK || rect.right > width + SLACK) { say('text leaves the page', node.data); }
      if (drawing) {
        const frame = drawing.getBoundingClientRect();
        if (rect.left < frame.left - SLACK || rect.right > frame.right + SLACK || rect.top < frame.top - SLACK || rect.bottom > frame.bottom + SLACK) {
          say('text leaves its drawing', node.data);
        }
      }
    }
  }

  // Text over other text. Lines of one element may touch, letters of a line have room above and below.
  boxes.sort((a, b) => a.top - b.top);
  boxes.forEach((box, index) => {
    for (let next = index + 1; next < boxes.length && boxes[next].top < box.bottom; next++) {
      const other = boxes[next], slack = Math.max(SLACK, 0.3 * Math.min(box.bottom - box.top, other.bottom - other.top));
      const across = Math.min(box.right, other.right) - Math.max(box.left, other.left);
      const down = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top);
      if (box.node !== other.node && across > SLACK && down > slack) { say(`text over "${other.node.data.trim().slice(0, 40)}"`, box.node.data); }
    }
  });

  // Text that is cut by its element, or crosses the edge of a box of a drawing.
  for (const element of document.querySelectorAll('body *:not(svg *)')) {
    const style = getComputedStyle(element);
    if (!isHidden(element) && style.overflowX !== 'visible' && element.scrollWidth > element.clientWidth + SLACK) { say('text is cut', element.textContent); }
  }
  for (const drawing of document.querySelectorAll('svg.drawing')) {
    const frames = [...drawing.querySelectorAll('rect')].map((rect) => rect.getBoundingClientRect());
    for (const text of drawing.querySelectorAll('text')) {
      const box = text.getBoundingClientRect(), middle = (box.top + box.bottom) / 2;
      for (const frame of frames) {
        const isIn = middle > frame.top && middle < frame.bottom && box.right > frame.left && box.left < frame.right;
        if (isIn && (box.left < frame.left - SLACK || box.right > frame.right + SLACK)) { say('text crosses the edge of its box', text.textContent); }
      }
    }
  }
  return found.length > SHOWN ? [...found.slice(0, SHOWN), `and ${found.length - SHOWN} more`] : found;
})();
