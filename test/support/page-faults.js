/** What keeps people from using a page, as far as a program can see it. Runs inside the page. */
export function pageFaults() {
  const faults = [];
  const seen = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const tell = (element, what) =>
    faults.push(`${element.tagName.toLowerCase()} "${nameOf(element).slice(0, 40)}" ${what}`);

  function nameOf(element) {
    const labelled = element.getAttribute('aria-labelledby');
    if (labelled)
      return labelled
        .split(' ')
        .map((id) => document.getElementById(id)?.textContent ?? '')
        .join(' ')
        .trim();
    const own = element.getAttribute('aria-label') ?? element.getAttribute('alt');
    if (own) return own.trim();
    const labels = Array.from(element.labels ?? [], (label) => label.textContent)
      .join(' ')
      .trim();
    return labels || element.textContent.trim();
  }

  const numbers = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const canvasColor = () => {
    const probe = document.createElement('div');
    probe.style.background = 'Canvas';
    document.body.append(probe);
    const color = getComputedStyle(probe).backgroundColor;
    probe.remove();
    return color;
  };
  function groundOf(element) {
    for (let at = element; at; at = at.parentElement) {
      const [r, g, b, alpha = 1] = numbers(getComputedStyle(at).backgroundColor);
      if (alpha === 1) return [r, g, b];
    }
    return numbers(canvasColor()).slice(0, 3);
  }
  // WCAG 2.2, relative luminance and contrast ratio.
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  function contrast(one, other) {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  }

  if (!document.documentElement.lang) faults.push('the page does not say its language');
  if (!document.title.trim()) faults.push('the page has no title');
  if (!document.querySelector('meta[name=viewport]')) faults.push('the page does not fit small windows');
  const heads = document.querySelectorAll('h1');
  if (heads.length !== 1) faults.push(`the page has ${heads.length} h1`);
  if (document.querySelectorAll('main').length !== 1) faults.push('the page has no main part');
  let level = 0;
  for (const head of document.querySelectorAll('h1, h2, h3, h4, h5, h6')) {
    const next = Number(head.tagName[1]);
    if (next > level + 1) tell(head, `comes below a heading of level ${level}`);
    level = next;
  }
  for (const image of document.images) if (!image.hasAttribute('alt')) tell(image, 'has no alt');
  for (const control of document.querySelectorAll('button, a[href], input:not([type=hidden]), select, textarea')) {
    if (!seen(control)) continue;
    if (nameOf(control) === '') tell(control, 'has no name');
    if (control.tabIndex < 0) tell(control, 'is not reached by keyboard');
    if (control.tabIndex > 0) tell(control, 'has an order of its own');
    const { width, height } = control.getBoundingClientRect();
    // WCAG 2.2, 2.5.8; a link within a line is as high as its line.
    if (control.tagName !== 'A' && (width < 24 || height < 24)) tell(control, `is ${width} x ${height}`);
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let counted = 0;
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const element = text.parentElement;
    if (
      text.data.trim() === '' ||
      ['SCRIPT', 'STYLE', 'NOSCRIPT', 'TEMPLATE'].includes(element.tagName) ||
      !seen(element)
    )
      continue;
    counted += 1;
    const style = getComputedStyle(element);
    const size = Number.parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = contrast(numbers(style.color).slice(0, 3), groundOf(element));
    if (ratio < (large ? 3 : 4.5)) tell(element, `has a contrast of ${ratio.toFixed(2)}`);
  }
  if (counted === 0) faults.push('the page has no text');
  return faults;
}
